// The union of the reports of several generators that loaded one target at the same time: as if one
// generator had done it all, as far as that can be told exactly. Histograms are added, counts are
// summed, nothing is averaged; what cannot be merged exactly is missing (docs/merge.md has the
// list). Pure.
//
// Why exact: a histogram's counters and a count are sums over requests, so they add, in any order
// and any grouping. A percentile is no such sum: it is taken from the added histogram.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "reports/judge/summary.hpp"

namespace volley {

// A report and what errors call it: the file it came from.
struct NamedReport {
  std::string name;
  Report report;
};

inline constexpr std::size_t kMostParts = 10'000;  // of a merged report

// The merged report. Its parts are those of the reports, in their order; a report that is a merge
// already contributes all of its parts. Texts of checks and warnings say which part they are of.
// Tool version and command line are those that all parts share, or empty.
//
// Throws RunError{"unmergeable", "report"} that names the report and the reason: fewer than two
// reports, one that failed, has no runs or no checks, or whose counts do not add up, other runs or
// other requests than the first report's, no time in which all of them ran, one report given twice,
// sums and numbers of parts that no report can hold.
[[nodiscard]] Report merge_reports(std::span<const NamedReport> reports);

// The part that a text of a merge is of: 2 of "part 2: …". None: it names none.
[[nodiscard]] std::optional<std::size_t> part_named(std::string_view text);

}  // namespace volley
