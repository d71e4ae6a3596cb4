// What will happen: the options checked against each other, with nothing left to choose.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generators/plan/options.hpp"
#include "generators/plan/schedule.hpp"

namespace volley {

// What is sent and how its answer is recognised.
enum class ExchangeKind : std::uint8_t {
  frame,     // our header; any echo answers it (default)
  echo,      // bare bytes that come back: messages too small for the header
  scripted,  // --request with --reply
};
[[nodiscard]] std::string_view to_string(ExchangeKind kind);

struct RunPlan {
  Protocol protocol = Protocol::udp;
  std::optional<HostPort> where;  // none: our own target
  Family family = Family::any;
  Workload workload = Workload::rr;
  Direction direction = Direction::up;
  ExchangeKind exchange = ExchangeKind::frame;
  std::vector<SizeShare> sizes;
  std::optional<std::uint32_t> response_size;
  std::string request;  // scripted
  ReplyRule reply;      // scripted
  std::optional<std::string> expect;
  Close close = Close::rst;  // crr and connect over tcp

  Arrival arrival;
  std::optional<Rate> rate;
  std::shared_ptr<const std::vector<Nanos>> trace;
  std::uint32_t flows = 1;
  std::optional<std::uint32_t> depth;  // none: no cap (open loop with our frames)
  // hold, closed loop: probes in flight at any time, all threads together; 0: none are sent.
  std::uint32_t probes = 0;
  std::uint32_t threads = 1;
  bool pin = false;
  bool discard = false;
  bool stamps = false;
  Wait wait = Wait::block;  // decided: block, spin or hybrid
  Wait wait_asked = Wait::automatic;
  Offload offload = Offload::automatic;
  std::uint32_t batch = RunOptions::kDefaultBatch;  // 1..kMostBatch

  std::optional<Nanos> duration;
  std::optional<std::uint64_t> requests;
  Nanos warm_up{0};
  Nanos timeout{0};
  std::uint64_t seed = 1;
  Nanos interval{0};
  SocketOptions socket;
  std::optional<std::uint64_t> bottleneck_bits_per_s;  // of the path, as its user knows it
  std::optional<SourceRange> source;
  std::vector<std::pair<std::string, std::string>> labels;

  [[nodiscard]] bool open_loop() const { return arrival.kind != Arrival::Kind::closed; }
  // Whether datagrams of a flow may ever travel together; with one in flight they never do.
  [[nodiscard]] bool wants_offload() const {
    return offload != Offload::off && batch > 1 && (!depth || *depth > 1);
  }
};

// What the machine allows, as far as a plan depends on it (so that plan stays pure).
struct PlanLimits {
  unsigned cpus = 1;  // this process may run on
};

// The largest payload of one UDP datagram over IPv4 (65,535 - 20 - 8).
inline constexpr std::uint32_t kMostDatagramBytes = 65'507;
// Requests that share one system call, one time of sending and one word of the book (64 bits).
inline constexpr std::uint32_t kMostBatch = 64;

// The due times in the file of --arrival trace:FILE; null with any other arrival. Throws UsageError
// (what is in it, with the line) or RunError{"unreadable_file", "plan"}.
[[nodiscard]] std::shared_ptr<const std::vector<Nanos>> load_trace(const RunOptions& options);

// Checks what does not go together and fills in what was left open. Throws UsageError with the
// reason. `trace` is the parsed file of trace:FILE.
[[nodiscard]] RunPlan make_plan(const RunOptions& options, const PlanLimits& limits,
                                std::shared_ptr<const std::vector<Nanos>> trace = nullptr);

// The schedule of an open loop; wrong use on a closed one.
[[nodiscard]] ScheduleSpec schedule_of(const RunPlan& plan);

// How late a request may leave before it counts as late: half the usual time between two requests
// of a thread (what irtt calls a miss), at least 10 us; a closed loop has no such time.
[[nodiscard]] Nanos late_beyond(const RunPlan& plan);

// "closed", "poisson", "constant", "burst:8", "trace"
[[nodiscard]] std::string arrival_text(const Arrival& arrival);
// A stable name: "udp rr", "tcp stream down".
[[nodiscard]] std::string run_name(const RunPlan& plan);
// The effective values in the order of the command line, as text with units.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> effective_values(
    const RunPlan& plan);

}  // namespace volley
