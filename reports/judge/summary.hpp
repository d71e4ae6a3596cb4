// The report: figures derived from records, ready to be written. Every key of the JSON has a field
// here, and reading a saved report gives the same values back, so that it renders to the same text.
// A missing value is an empty optional, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/judge/claims.hpp"
#include "reports/judge/verdict.hpp"
#include "reports/measure/record.hpp"

namespace volley {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

// One distribution of durations. Percentiles are the smallest x with F(x) >= p (RFC 2330 section
// 11.3). For `response` the lost requests count as infinite (RFC 7679 section 5.1): a figure that
// falls among them is missing, and `beyond_lost` says why; then max, mean and stddev are missing
// too. A percentile whose claim does not hold, or that the generator spoiled, is missing: withheld.
struct LatencyFigures {
  std::uint64_t count = 0;  // samples recorded: completed requests, for response and service
  std::optional<std::int64_t> min, max;
  std::optional<double> mean, stddev;
  std::optional<std::int64_t> p50, p90, p99, p99_9, p99_99;
  bool beyond_lost = false;
  std::optional<Claims> claims;        // none: no samples, or a report of before there were claims
  std::vector<std::uint32_t> spoiled;  // percentiles (ppm) withheld as INVALID (judge/verdicts)
  std::uint64_t out_of_range = 0;  // samples below 0 or above 1 h: counted, not in the histogram
  std::optional<Histogram> histogram;  // none: this workload has no such latency
};

// The percentiles of a report.
struct PercentileKey {
  const char* key;    // in JSON, CSV and --fail-if
  const char* words;  // for a person
  Percentile percentile;
  std::optional<std::int64_t> LatencyFigures::*figure;
  Claim Claims::*claim;
};
inline constexpr std::array<PercentileKey, 5> kPercentiles{{
    {"p50", "p50", kP50, &LatencyFigures::p50, &Claims::p50},
    {"p90", "p90", kP90, &LatencyFigures::p90, &Claims::p90},
    {"p99", "p99", kP99, &LatencyFigures::p99, &Claims::p99},
    {"p99_9", "p99.9", kP99_9, &LatencyFigures::p99_9, &Claims::p99_9},
    {"p99_99", "p99.99", kP99_99, &LatencyFigures::p99_99, &Claims::p99_99},
}};

// Whether this percentile of `f` is missing because too little stands behind it.
[[nodiscard]] bool is_withheld(const LatencyFigures& f, const PercentileKey& key);
// Whether it is missing because the generator spoiled it.
[[nodiscard]] bool is_spoiled(const LatencyFigures& f, const PercentileKey& key);

struct LoadFigures {
  std::optional<double> intended_per_s;  // open loop: what the plan asks
  double offered_per_s = 0;              // what was sent
  std::optional<double>
      achieved_per_s;  // what was answered in time; unknown against a foreign sink
};

struct KindCount {
  std::string kind;
  std::uint64_t count = 0;
};

struct RequestFigures {
  std::optional<std::uint64_t> planned;
  std::vector<KindCount> unsent;         // kinds that happened
  std::optional<std::uint64_t> skipped;  // planned, never due (the run was cut)
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> completed, lost;
  std::uint64_t late = 0;
  std::vector<KindCount> errors;
  std::optional<std::uint64_t> in_flight;
  std::uint64_t duplicates = 0, reordered = 0, held_back = 0;
  std::optional<double> loss_ratio;  // lost / sent
};

struct IntervalFigures {
  double start_s = 0, end_s = 0;
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> completed, lost;  // unknown against a foreign sink
  std::uint64_t late = 0, errors = 0, unsent = 0;
  std::uint64_t duplicates = 0, reordered = 0, held_back = 0, bytes_sent = 0, bytes_received = 0;
  std::optional<std::int64_t> response_p50_ns, response_p99_ns, response_max_ns, send_lag_p99_ns;
};

struct SocketEventFigures {
  std::string kind;
  std::uint64_t count = 0;
  double first_s = 0, last_s = 0;
};

// What the workload hold opened and kept; see HoldSide.
struct HoldFigures {
  std::uint64_t connections_wanted = 0, opened = 0;
  std::vector<KindCount> failed;  // kinds that happened
  double open_duration_s = 0;
  std::optional<double> opened_per_s;
  std::uint64_t held_at_end = 0;
  std::vector<KindCount> died;  // kinds that happened
  std::uint64_t probed = 0;
  ConnectionMemory memory;
};

struct RunReport {
  std::string name, protocol, endpoint, workload, arrival;
  std::string status;  // ok interrupted failed
  TextPairs config;
  std::vector<Condition> conditions;  // none: a report of before there were any
  double duration_s = 0, warm_up_s = 0, drain_s = 0;
  LoadFigures load;
  RequestFigures requests;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::optional<double> goodput_bits_per_s;  // payload usefully received / duration
  LatencyFigures response;                   // completed + lost
  LatencyFigures response_delivered;         // completed only
  LatencyFigures service, send_lag, connect;
  std::vector<SocketEventFigures> socket_events;
  std::vector<std::pair<std::string, std::optional<double>>> protocol_figures;  // under udp or tcp
  GeneratorSide generator;
  std::optional<TargetSide> target_side;
  std::optional<HoldFigures> hold;  // workload hold only
  std::optional<DelayByPlace> delay_by_place;
  std::optional<LossPlaces> loss_places;  // rr over udp only
  std::vector<IntervalFigures> intervals;
  // None: a report of before a run judged itself.
  std::optional<std::vector<Check>> checks;
  std::optional<RunVerdict> verdict;
};

// duel: one protocol's rounds put together.
struct ComparedSide {
  std::string protocol;
  std::uint64_t rounds = 0;
  std::optional<double> achieved_per_s;  // median of the rounds
  // Of the rounds' merged histograms, lost counted in; withheld where the rounds together have not
  // enough beyond them.
  std::optional<std::int64_t> p50_ns, p99_ns, p99_9_ns;
  std::vector<std::string> withheld;  // of "p50" "p99" "p99_9"
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> completed, lost;
  std::optional<double> loss_ratio;
};
// Whether the generator spoiled this percentile in a finished round of the protocol, so that the
// rounds together have none.
[[nodiscard]] bool spoils_any(const std::vector<RunReport>& runs, std::string_view protocol,
                              const PercentileKey& key);
// Whether this percentile ("p99") of a side is missing for want of samples, or spoiled.
[[nodiscard]] bool is_withheld(const ComparedSide& side, std::string_view percentile);

struct Comparison {
  std::vector<ComparedSide> sides;       // udp, tcp
  std::optional<double> achieved_ratio;  // udp / tcp, of the medians
  std::optional<double> p99_ratio;
  bool significance_tested = false;
  std::string sentence;  // for a person; says that significance was not tested
};

struct ThresholdResult {
  std::string expr;
  std::optional<double> value;  // in `unit`; missing: could not be evaluated
  std::optional<double> limit;  // missing: it hangs on a metric that this run has not
  std::string unit;             // "ns", "s", "per_s", "bits_per_s", "bytes", "ratio", "count"; of a
                                // verdict "verdict", from 0 INVALID to 3 TRUSTED
  bool pass = false;            // false: the --fail-if condition was met, or could not be evaluated
  // Empty where there is nothing to say, and in reports of before these were written.
  std::string metric;                  // its path: "latency_ns.response.p99"
  std::string run;                     // the name of the run that decided
  std::optional<std::uint64_t> round;  // which of the runs of that name, from 1; none: the only one
  std::string reason;                  // why it could not be evaluated (judge/missing)
  std::string missing;                 // the path of the metric that was not there
};

// Of a merged report (judge/merge): what one generator contributed to a run.
struct MergedRun {
  std::string name;
  std::uint64_t sent = 0;
  std::optional<std::uint64_t> completed, lost;
  double cpu_s = 0;                // user + system time of its threads
  std::optional<Verdict> verdict;  // its own
  friend bool operator==(const MergedRun&, const MergedRun&) = default;
};

// Of a merged report: one generator's own report, without its figures.
struct MergedPart {
  std::string started_at;
  double lasted_s = 0;  // its runs together, warm-up and drain included
  std::string status;   // ok interrupted
  std::string tool_version, tool_commit;
  TextPairs host;
  std::vector<std::string> argv;
  TextPairs labels;
  std::vector<MergedRun> runs;
  friend bool operator==(const MergedPart&, const MergedPart&) = default;
};

struct Report {
  static constexpr const char* kSchemaVersion = "1.0";
  std::string tool_version, tool_commit;
  std::string status = "ok";  // ok interrupted failed
  std::optional<RunFailure> error;
  std::string started_at;  // ISO 8601 UTC
  TextPairs host;          // facts: kernel, cpu model, cpus …
  std::vector<std::string> argv;
  TextPairs labels;
  std::vector<RunReport> runs;
  std::optional<Comparison> comparison;
  std::vector<ThresholdResult> thresholds;
  std::vector<MergedPart> parts;  // of a merged report, two or more; none: of one generator
};

// `has_answers`: RunRecord's. Pure.
[[nodiscard]] IntervalFigures interval_figures(const IntervalSummary& interval, bool has_answers);

// Derives every figure of a run, and judges them. Pure.
[[nodiscard]] RunReport summarize(const RunRecord& record);

// What a run that is still going has counted, until the end of its last interval: loads and
// distributions, of which no percentile is told and nothing is judged, and no request is in flight
// for good. It counts as one that ran to its end. Pure.
[[nodiscard]] RunReport tally(const RunRecord& record);

// How many requests of a run count as endless in one of its own distributions: the lost ones in
// `response` and, where a request is a handshake, in `connect`.
[[nodiscard]] std::uint64_t endless_in(const RunReport& run, LatencyFigures RunReport::*latency);

// The figures of a histogram with `lost` infinite samples counted in; nothing is withheld.
[[nodiscard]] LatencyFigures figures_of(const Histogram& histogram, std::uint64_t lost);

// The same with those percentiles withheld whose claims do not hold.
[[nodiscard]] LatencyFigures withhold(LatencyFigures figures, const Claims& claims);

// sent = completed + lost + errors + in_flight and planned = sent + unsent + skipped and
// late <= lost: an empty string when they hold (or a member is unknown), else the one that fails.
[[nodiscard]] std::string broken_identity(const RequestFigures& requests);

// The medians of what one protocol's finished rounds opened and cost (counts are sums); none where
// no round held connections. Pure.
[[nodiscard]] std::optional<HoldFigures> median_hold(const std::vector<RunReport>& runs,
                                                     std::string_view protocol);

// Puts the rounds of a duel side by side. Runs are told apart by their protocol. Pure.
[[nodiscard]] Comparison compare_protocols(const std::vector<RunReport>& runs);

}  // namespace volley
