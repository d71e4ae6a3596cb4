// Reports to test the renderers with: one of each kind a user meets, and random ones.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reports/judge/summary.hpp"

namespace volley::samples {

// Open loop over UDP with losses among the largest percentiles, errors, socket events, intervals.
[[nodiscard]] RunRecord udp_open_loop();
// Closed loop over TCP, nothing lost.
[[nodiscard]] RunRecord tcp_closed_loop();
// The same run 200 times as long: enough samples for every percentile.
[[nodiscard]] RunRecord long_run(RunRecord record);
// Any record that keeps the identities; the same for the same seed.
[[nodiscard]] RunRecord any_record(std::uint64_t seed);
// The frame of a report: tool, host, what was supplied.
[[nodiscard]] Report report_of(std::vector<RunReport> runs);
// Any report: every optional present or missing, texts with every kind of byte.
[[nodiscard]] Report any_report(std::uint64_t seed);
// The report merged with that of another generator that did the same.
[[nodiscard]] Report merged(Report report);
// One of each kind, by name.
[[nodiscard]] std::vector<std::pair<std::string, Report>> all();

}  // namespace volley::samples
