// One OS thread that sends: its own sockets, its own poller, its own record. Workers share nothing
// but the stop flag and the times that were fixed before they were released.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generators/engine/handoff.hpp"
#include "generators/engine/lateness.hpp"
#include "generators/engine/loss_inquiry.hpp"
#include "generators/engine/presence.hpp"
#include "generators/engine/recorder.hpp"
#include "generators/engine/socket_facts.hpp"
#include "generators/plan/plan.hpp"
#include "reports/measure/arrival_quality.hpp"
#include "reports/measure/delay_places.hpp"
#include "reports/measure/record.hpp"
#include "reports/measure/reordering.hpp"
#include "reports/measure/tcp_quality.hpp"
#include "reports/measure/variation.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/poller.hpp"

namespace volley {

// The phases of a run on the clock; fixed when the workers are released.
struct RunTimes {
  MonoTime start;
  MonoTime measure_begin;
  MonoTime measure_end;  // MonoTime::max() with --requests alone
};

// What the calling thread and the workers say to each other: read every turn, written twice a run.
struct alignas(kCacheLine) RunSignals {
  std::atomic<bool> released{false};  // times are valid
  std::atomic<bool> stop{false};      // end at once, without a drain
  std::atomic<unsigned> meetings{0};  // that are over (Worker::meet)
  RunTimes times;                     // written before `released`
};

// Why a flow could not be set up.
struct SetUpFailure {
  int error = 0;  // errno
  std::string text;
};

// How many datagrams went through the kernel together (UDP_SEGMENT, UDP_GRO).
struct OffloadFigures {
  std::uint64_t divided_sends = 0;      // calls whose bytes the kernel divided …
  std::uint64_t divided_datagrams = 0;  // … into so many datagrams
  std::uint64_t joined_receives = 0;    // slots in which the kernel had joined …
  std::uint64_t joined_datagrams = 0;   // … so many datagrams
  int refused = 0;                      // errno with which a route refused to divide; 0: none did

  OffloadFigures& operator+=(const OffloadFigures& other) {
    divided_sends += other.divided_sends;
    divided_datagrams += other.divided_datagrams;
    joined_receives += other.joined_receives;
    joined_datagrams += other.joined_datagrams;
    if (refused == 0) refused = other.refused;
    return *this;
  }
  OffloadFigures& operator-=(const OffloadFigures& earlier) {
    divided_sends -= earlier.divided_sends;
    divided_datagrams -= earlier.divided_datagrams;
    joined_receives -= earlier.joined_receives;
    joined_datagrams -= earlier.joined_datagrams;
    return *this;
  }
};

// What a worker of the workload hold opened and kept.
struct HoldResult {
  MonoTime opening_began, opening_ended;
  ErrorCounts failed{};
  ErrorCounts died{};
  std::uint32_t held_at_end = 0;
  std::uint32_t probed = 0;
};

// What a worker leaves behind beside its records; read after it has ended.
struct WorkerResult {
  std::uint32_t flows_wanted = 0;
  std::uint32_t flows_opened = 0;
  std::uint32_t flows_dead = 0;                // at the end
  std::optional<SetUpFailure> set_up_failure;  // the first
  // Measured slots of this thread's share of the schedule; none: too many to count.
  std::optional<std::uint64_t> planned_open_loop = 0;
  // From the start of the measure phase on.
  std::uint64_t send_calls = 0;
  std::uint64_t receive_calls = 0;
  OffloadFigures offload;  // udp
  std::vector<SocketEvent> socket_events;
  bool receiver_known = true;    // stream: somebody counted what arrived
  bool receiver_silent = false;  // stream: our own sink was asked, and gave no usable count
  bool ever_divided = false;     // rr over udp: what was sent (UDP_SEGMENT), in either phase …
  bool ever_joined = false;      // … and what was received (UDP_GRO)
  TargetSide receiver;           // stream: what the receiving ends counted, added up
  std::optional<BufferSizes> buffers;
  std::optional<SocketFacts> socket;  // of the first one that had its peer
  std::vector<unsigned> cpus;         // the thread may run on
  std::uint64_t socket_drops = 0;     // udp: datagrams our own sockets had no room for
  // rr over udp, both phases.
  std::uint64_t requests_sent = 0;
  ReturnedAnswers returned;
  LossInquiry inquiry;
  std::optional<TcpFigures> tcp;
  std::string congestion;  // tcp: the congestion control in use
  std::optional<HoldResult> hold;
  MonoTime sending_ended;  // nothing more was due or waited; only drained after that
  MonoTime ended;
  Presence presence;  // in the measure phase
  std::vector<SendTimes> send_times;
  MonoTime watched_until;                          // the end of that
  std::optional<std::uint64_t> run_queue_wait_ns;  // of the thread, since it began
  std::optional<double> in_flight_ns;              // rr: see Conduct
  ReorderingFigures reordering;                    // of measured answers that say whose they are
  std::uint64_t replicated = 0;                    // of these: how many came more than once
  std::optional<StampingResult> stamping;          // --stamps
  std::optional<VariationFigures> variation;       // udp: of the round trips of measured answers
  // stream over udp: how its messages arrived, by the places of our sink.
  std::map<std::uint16_t, ArrivalQuality> stream_quality;
};

class alignas(kCacheLine) Worker {
 public:
  // `index` of `plan.threads`; the peer is resolved. `session` tells this run's frames from
  // others'.
  Worker(const RunPlan& plan, std::uint32_t index, const Address& peer, std::uint32_t session,
         RunSignals& signals, Handoff& handoff);

  // The body of the thread: sets up the flows, calls on_ready, waits for the release, works.
  // on_meeting is called when it waits for the others (meet).
  void run(const std::function<void()>& on_ready, const std::function<void()>& on_meeting);

  // Wakes the worker out of a wait on its poller. Any thread.
  void wake() const { waker_.wake(); }

  // For workloads.
  [[nodiscard]] const RunPlan& plan() const { return plan_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] const Address& peer() const { return peer_; }
  [[nodiscard]] std::uint32_t session() const { return session_; }
  [[nodiscard]] Poller& poller() { return poller_; }
  [[nodiscard]] Recorder& recorder() { return recorder_; }
  // Ends the interval or slice that is over; once a turn.
  void tick(MonoTime now) {
    recorder_.tick(now);
    if (watched()) result_.presence.turn(now);
    if (!measures_ && recorder_.measures()) begin_measure(now);
    if (watched() && now >= signals_.times.measure_end) result_.watched_until = now;
  }
  // A request has been handed to the kernel at `now`.
  void note_sent(MonoTime now) {
    if (watched()) result_.presence.work(now);
  }
  // The thread goes into a call of its own that waits.
  void waits_from(MonoTime now) {
    if (watched()) result_.presence.waits_from(now);
  }
  // The kernel's number of the thread, once it runs.
  [[nodiscard]] pid_t thread_id() const { return thread_id_; }
  [[nodiscard]] WorkerResult& result() { return result_; }
  [[nodiscard]] const RunTimes& times() const { return signals_.times; }
  [[nodiscard]] bool stopped() const { return signals_.stop.load(std::memory_order_relaxed); }
  // How many of the run's flows are this thread's, and the run's number of the i-th of them.
  [[nodiscard]] std::uint32_t flow_count() const;
  [[nodiscard]] std::uint32_t flow_number(std::uint32_t i) const {
    return index_ + i * plan_.threads;
  }
  [[nodiscard]] Wait waiting() const { return plan_.wait; }
  // Whether a thread with nothing to do until `until` looks again at once instead of sleeping:
  // always, never, or (hybrid) for a while after the last event and before a time that is due.
  [[nodiscard]] bool spins(MonoTime now, MonoTime until) const {
    if (plan_.wait != Wait::hybrid) return plan_.wait == Wait::spin;
    return now - last_event_ < kSpin || until - now < lateness_.usual(now);
  }
  // Something came: more may come soon.
  void note_activity(MonoTime now) {
    last_event_ = now;
    if (watched()) result_.presence.work(now);
  }
  // Waits for events until `until`, at most to the interval's end; only looks while it spins(), and
  // where it blocks when a sleep would end too late.
  [[nodiscard]] std::span<const Ready> wait_until(MonoTime now, MonoTime until);
  // Blocks until the calling thread releases the workers; false: the run was given up.
  [[nodiscard]] bool ready_and_wait();
  // Waits until all workers are here and the calling thread has looked at what it wants to see with
  // all of them at rest (hold: memory); not when the run is stopped.
  void meet();
  // A socket has its peer, or is on the way to it; the first one is looked at.
  void note_connected(const Descriptor& socket) {
    if (!result_.socket) [[unlikely]]
      result_.socket = socket_facts(socket);
  }
  void note_event(ErrorKind kind, MonoTime now);
  void note_set_up_failure(int error, const std::string& text);

  static constexpr std::uint64_t kWakerTag = ~std::uint64_t{0};

 private:
  // How long hybrid waiting spins after an event. About twice what the wake-up saves.
  static constexpr Nanos kSpin = std::chrono::microseconds(50);
  static constexpr unsigned kSleepAnyway = 65'536;  // a tenth of a second of looks

  // How long to wait in the kernel for what is due at `until`; 0: only to look.
  [[nodiscard]] Nanos time_to_sleep(MonoTime now, MonoTime until);

  const RunPlan& plan_;
  Address peer_;
  std::uint32_t index_;
  std::uint32_t session_;
  RunSignals& signals_;
  Poller poller_;
  Waker waker_;
  Recorder recorder_;
  WorkerResult result_;
  void begin_measure(MonoTime now);
  // Whether it is looked at how the loop does: in the measure phase.
  [[nodiscard]] bool watched() const { return measures_ && result_.watched_until == MonoTime{}; }

  MonoTime last_event_{};
  Lateness lateness_;       // where it does not only spin
  unsigned not_slept_ = 0;  // looks in the place of sleeps, where it blocks
  bool measures_ = false;   // the measure phase has begun
  unsigned met_ = 0;
  pid_t thread_id_ = 0;
  // Of the warm-up.
  std::uint64_t send_calls_before_ = 0;
  std::uint64_t receive_calls_before_ = 0;
  OffloadFigures offload_before_;
  const std::function<void()>* on_ready_ = nullptr;
  const std::function<void()>* on_meeting_ = nullptr;
};

// The workloads: each sets up its flows, calls worker.ready_and_wait(), works until the end.
using WorkloadBody = void (*)(Worker&);
[[nodiscard]] WorkloadBody find_workload(const RunPlan& plan);

// rr.cpp, crr.cpp (with connect), stream.cpp and hold.cpp.
[[nodiscard]] WorkloadBody rr_workload(Protocol protocol, ExchangeKind exchange);
[[nodiscard]] WorkloadBody crr_workload(Protocol protocol, ExchangeKind exchange,
                                        bool connect_only);
[[nodiscard]] WorkloadBody stream_workload(Protocol protocol, Direction direction,
                                           ExchangeKind exchange);
[[nodiscard]] WorkloadBody hold_workload(Protocol protocol, ExchangeKind exchange);

}  // namespace volley
