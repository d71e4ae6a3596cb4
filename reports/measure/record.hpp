// What a run leaves behind: raw counts and histograms, filled by generators, read by judge/.
//
// One writer per record: each worker thread fills an IntervalRecord, hands it over whole at the
// interval's end and takes an empty one. Totals are the sum of the intervals, so the two cannot
// disagree. Merging threads is a pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/measure/calibration.hpp"
#include "reports/measure/condition.hpp"
#include "reports/measure/conduct.hpp"
#include "reports/measure/counters.hpp"
#include "reports/measure/delay_places.hpp"
#include "reports/measure/histogram.hpp"
#include "reports/measure/loss_places.hpp"
#include "reports/measure/slices.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// The durations of a run's requests (design words: response = received - intended,
// service = received - sent, send_lag = sent - intended; connect = from intended to established).
struct Latencies {
  Histogram response;  // completed requests
  Histogram service;   // completed requests
  Histogram send_lag;  // sent requests
  Histogram connect;   // established connections, where the workload makes them
  // Of send_lag, the requests that were held back: it was not the generator that let them wait.
  std::optional<Histogram> held_lag;

  void merge(const Latencies& other);
  void clear();
};

// One interval of one worker; counters and samples of the measure phase only (by intended time).
// An interval is numbered from the start of the measure phase; what comes in during the drain falls
// into the intervals that follow.
struct IntervalRecord {
  std::uint32_t index = 0;
  Nanos begin{0};  // since the start of the measure phase
  Nanos end{0};
  RequestCounters counters;
  Latencies latencies;

  void clear();
};

// The small remains of an interval, merged over all workers.
struct IntervalSummary {
  std::uint32_t index = 0;
  Nanos begin{0};
  Nanos end{0};
  RequestCounters counters;
  std::optional<Nanos> response_p50, response_p99, response_max;  // of completed requests
  std::optional<Nanos> send_lag_p99;
};

// When a kind of socket event happened: an ICMP error, a reset by the peer …
struct SocketEvent {
  ErrorKind kind = ErrorKind::other;
  std::uint64_t count = 0;
  Nanos first{0};  // since the start of the run
  Nanos last{0};
};

// What the receiving end of a stream counted (our sink), or what our target says about itself.
struct TargetSide {
  std::optional<std::uint64_t> received_messages;  // first copies of measured messages
  std::optional<std::uint64_t> received_bytes;     // their payload
  std::optional<std::uint64_t> duplicates;
  std::optional<std::uint64_t> reordered;
  std::optional<double> cpu_s;  // user + system time of a target that this run started
};

// Bytes of memory that one open connection (udp: socket) costs; none: could not be read.
struct ConnectionMemory {
  std::optional<double> generator_bytes;  // this process, from before the opening to after it
  std::optional<double> target_bytes;     // a target that this run started, to the end of the run
  std::optional<double> kernel_bytes;  // sockets of this machine, both ends if the target is here
};

// What the workload hold opened and kept. wanted = opened + failed; opened = held_at_end + died,
// but for a run that was cut while it opened.
struct HoldSide {
  std::uint64_t wanted = 0;
  std::uint64_t opened = 0;
  ErrorCounts failed{};  // could not be opened
  Nanos open_duration{0};
  std::uint64_t held_at_end = 0;
  ErrorCounts died{};        // were open, and ended before the run did
  std::uint64_t probed = 0;  // connections that were sent a probe at least once, warm-up included
  ConnectionMemory memory;
};

// What the run cost the generator.
struct GeneratorSide {
  unsigned threads = 0;
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  double wall_s = 0;
  std::uint64_t context_switches = 0;
  std::string wait;                            // "block" or "spin": how the workers waited
  std::vector<std::string> warnings;           // sentences for a person
  std::optional<std::uint64_t> send_calls;     // system calls that sent requests
  std::optional<std::uint64_t> receive_calls;  // system calls that received answers
  // Of its readings of the clock, as found before the run; none: it could not be.
  std::optional<Calibration> calibration;
};

enum class RunStatus : std::uint8_t { ok, interrupted, failed };
[[nodiscard]] std::string_view to_string(RunStatus status);

// Why a run failed: code is a stable word ("refused", "nothing_answered"), phase one of
// usage, plan, resolve, setup, warm_up, measure, drain, report.
struct RunFailure {
  std::string code;
  std::string message;
  std::string phase;
};

struct RunRecord {
  std::string name;      // stable across runs: no host, port, date or version
  std::string protocol;  // "udp" or "tcp"
  std::string endpoint;  // as given, with the port that was used
  std::string workload;  // rr crr connect stream hold
  std::string arrival;   // "closed", or "poisson" "constant" "burst:N" "trace" (open loop)
  std::vector<std::pair<std::string, std::string>> config;  // effective values, in order
  std::vector<Condition> conditions;  // all of them, or (before they are known) none

  RunStatus status = RunStatus::ok;
  // false: a stream whose sink is foreign or gave no count; completed and lost are unknown
  bool has_answers = true;
  bool has_response = true;  // false: connect and stream have no response or service time
  int signal = 0;            // that interrupted the run: SIGINT or SIGTERM
  std::optional<RunFailure> failure;
  Nanos warm_up{0};
  Nanos duration{0};  // of the measure phase, as it was
  Nanos drain{0};
  Nanos timeout{0};                      // after which a request is lost
  std::optional<double> intended_per_s;  // open loop
  std::optional<std::uint64_t> planned;  // unknown in a closed loop by duration

  RequestCounters counters;
  Latencies latencies;
  Slices slices;  // the same samples by their time
  std::vector<IntervalSummary> intervals;
  std::vector<SocketEvent> socket_events;
  GeneratorSide generator;
  Conduct conduct;
  std::optional<TargetSide> target_side;
  std::optional<HoldSide> hold;                // workload hold only
  std::optional<DelayByPlace> delay_by_place;  // --stamps
  std::optional<LossPlaces> loss_places;       // rr over udp, when it was not interrupted
  // What only one protocol has, as ordered key-value numbers ("rcvbuf_bytes", "retransmits").
  std::vector<std::pair<std::string, std::optional<double>>> protocol_figures;
};

// Adds an interval, already merged over all workers, to the record's totals and to the end of its
// interval list.
void add_interval(RunRecord& record, const IntervalRecord& merged);

}  // namespace volley
