#include "generators/engine/run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>

#include "generators/engine/clock_readings.hpp"
#include "generators/engine/collector.hpp"
#include "generators/engine/conditions.hpp"
#include "generators/engine/handshakes.hpp"
#include "generators/engine/host.hpp"
#include "generators/engine/loss_places.hpp"
#include "generators/engine/memory.hpp"
#include "generators/engine/outcome.hpp"
#include "generators/engine/own_target.hpp"
#include "generators/engine/preflight.hpp"
#include "generators/engine/stamper.hpp"
#include "generators/engine/surroundings.hpp"
#include "generators/engine/worker.hpp"
#include "reports/measure/ensure.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

// ThreadSanitizer knows one table of descriptors a process: it takes those of one number in two
// tables for the same one.
#if defined(__SANITIZE_THREAD__)
constexpr bool kOwnTables = false;
#else
constexpr bool kOwnTables = true;
#endif

// Whether a TCP connection to the address can be made; closed again at once.
int try_connect(const Address& address, Nanos timeout) {
  Descriptor socket;
  int error = open_socket(Protocol::tcp, address.family(), socket);
  if (error == 0) error = start_connect(socket, address);
  if (error != EINPROGRESS) return error;
  pollfd waiting{socket.get(), POLLOUT, 0};
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(millis, 1))) == 0)
    return ETIMEDOUT;
  return socket_error(socket);
}

// One address for the whole run. A name with several: over TCP the first that accepts a connection;
// over UDP, where silence tells nothing, the first IPv4 one.
Address choose_peer(const RunPlan& plan, const HostPort& where) {
  std::vector<Address> addresses = resolve(where, plan.family);
  if (addresses.size() == 1) return addresses.front();
  if (plan.protocol == Protocol::udp) {
    const auto v4 = std::find_if(addresses.begin(), addresses.end(),
                                 [](const Address& a) { return a.family() == AF_INET; });
    return v4 != addresses.end() ? *v4 : addresses.front();
  }
  for (const Address& address : addresses)
    if (try_connect(address, plan.timeout) == 0) return address;
  return addresses.front();
}

std::uint32_t new_session() {
  const auto now = static_cast<std::uint64_t>(wall_now().time_since_epoch().count());
  return static_cast<std::uint32_t>(seeded(now, static_cast<std::uint64_t>(getpid())));
}

// The workers of one run and the loop of the calling thread: signals, progress, the end.
class Conductor {
 public:
  // `target`: our own, where the run has started one.
  Conductor(const RunPlan& plan, const Address& peer, std::optional<pid_t> target,
            const RunHooks& hooks, RunRecord& record)
      : plan_(plan),
        target_(target),
        hooks_(hooks),
        record_(record),
        signal_set_(io_, SIGINT, SIGTERM),
        timer_(io_),
        watch_(io_) {
    const std::uint32_t session = new_session();
    for (std::uint32_t i = 0; i < plan.threads; ++i) {
      handoffs_.push_back(std::make_unique<Handoff>());
      workers_.push_back(
          std::make_unique<Worker>(plan, i, peer, session, signals_, *handoffs_.back()));
    }
    collector_ = std::make_unique<Collector>(handoffs_, record);
  }

  // Runs from set-up to the last worker's end. Throws RunError when no flow could be set up.
  void conduct() {
    wait_for_signal();
    const std::vector<unsigned> cpus = allowed_cpus();
    try {
      for (std::uint32_t i = 0; i < workers_.size(); ++i) start_thread(i, cpus);
    } catch (const std::system_error& error) {
      throw RunError("too_many_threads", "setup",
                     fmt::format("--threads {}: the system gives no more than {} ({}); use fewer",
                                 plan_.threads, threads_.size(), error.code().message()));
    }
    // What this thread does at an interval's end would make a pinned worker late.
    std::optional<StayOff> away;
    if (plan_.pin) away.emplace(std::span(cpus).first(std::min(cpus.size(), workers_.size())));
    io_.run();
    // Not before: a signal that came meanwhile, when nobody waits for one any more, would be lost
    // to the next run (SignalHold).
    if (watched_.begin && !watched_.end) watched_.end = look_around();
    for (std::thread& thread : threads_) thread.join();
    if (worker_failure_) std::rethrow_exception(worker_failure_);
    if (set_up_error_) throw RunError(*set_up_error_);
    collector_->finish([this](const IntervalRecord& r, bool warm_up) { show(r, warm_up); });
  }

  // On every way out the workers are stopped and joined.
  ~Conductor() {
    stop_workers();
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  [[nodiscard]] const RunTimes& times() const { return signals_.times; }
  [[nodiscard]] int signal() const { return signal_; }
  [[nodiscard]] const Watched& watched() const { return watched_; }
  // Of before the warm-up; rr over udp.
  [[nodiscard]] const HostCounts& host_before() const { return host_before_; }
  // hold: before the opening, after it, at the end; as far as the run got.
  [[nodiscard]] const std::vector<MemorySample>& memory() const { return memory_; }

 private:
  void start_thread(std::uint32_t i, const std::vector<unsigned>& cpus) {
    const std::optional<unsigned> cpu =
        plan_.pin ? std::optional(cpus[i % cpus.size()]) : std::nullopt;
    threads_.emplace_back([this, i, cpu] {
      // Before it opens anything: the kernel remembers where a connection came from.
      if (cpu) (void)pin_this_thread(*cpu);
      // What a worker opens it closes.
      if (kOwnTables && plan_.wait == Wait::spin) own_descriptor_table();
      try {
        workers_[i]->result().cpus = allowed_cpus();
        workers_[i]->run([this] { asio::post(io_, [this] { on_worker_ready(); }); },
                         [this] { asio::post(io_, [this] { on_worker_met(); }); });
      } catch (...) {  // no memory, say: the run ends, and its caller is told
        asio::post(io_, [this, error = std::current_exception()] { on_worker_failed(error); });
      }
      asio::post(io_, [this] { on_worker_done(); });
    });
  }

  void wait_for_signal() {
    signal_set_.async_wait([this](const asio::error_code& error, int number) {
      if (error) return;
      // A second one means: now.
      if (signal_ != 0) {
        if (hooks_.on_abandon) hooks_.on_abandon();
        ::_exit(128 + number);
      }
      signal_ = number;
      stop_workers();
      // One that came with the last worker's end found nothing to cancel: nobody would end the
      // wait.
      if (done_ < workers_.size()) wait_for_signal();
    });
  }

  void stop_workers() {
    signals_.stop.store(true);
    for (const auto& worker : workers_) worker->wake();
  }

  // All workers are at rest, and wait for us to have looked.
  void on_worker_met() {
    if (++met_ < workers_.size()) return;
    met_ = 0;
    if (signal_ == 0) look_at_memory();
    signals_.meetings.fetch_add(1, std::memory_order_release);
    for (const auto& worker : workers_) worker->wake();
  }

  void look_at_memory() {
    if (memory_.empty()) return_freed_memory();
    memory_.push_back(sample_memory(target_));
  }

  void on_worker_ready() {
    if (++ready_ < workers_.size()) return;
    if (plan_.workload == Workload::hold) look_at_memory();
    // A set-up that a signal cut short has not failed.
    if (signal_ == 0) set_up_error_ = set_up_error(plan_, workers_);
    if (set_up_error_ || signal_ != 0) {
      stop_workers();
      return;
    }
    if (hooks_.on_start) hooks_.on_start(record_);
    for (const std::string& warning : set_up_warnings(workers_)) {
      record_.generator.warnings.push_back(warning);
      if (hooks_.on_warning) hooks_.on_warning(warning);
    }
    if (has_loss_places(plan_)) host_before_ = read_host_counts();
    RunTimes& times = signals_.times;
    times.start = mono_now() + std::chrono::milliseconds(2);
    times.measure_begin = times.start + plan_.warm_up;
    times.measure_end = plan_.duration ? times.measure_begin + *plan_.duration : MonoTime::max();
    signals_.released.store(true, std::memory_order_release);
    for (const auto& worker : workers_) worker->wake();
    next_look_ = times.measure_begin;
    while (next_look_ - plan_.interval > times.start) next_look_ -= plan_.interval;
    look_again();
    watch();
  }

  // Looks at the machine when the measure phase begins and when it ends, or when all is over.
  void watch() {
    const MonoTime when =
        watched_.begin ? signals_.times.measure_end : signals_.times.measure_begin;
    if (when == MonoTime::max()) return;
    watch_.expires_at(std::chrono::time_point_cast<SteadyClock::duration>(when));
    watch_.async_wait([this](const asio::error_code& error) {
      if (error || done_ == workers_.size()) return;
      const bool begins = !watched_.begin;
      (begins ? watched_.begin : watched_.end) = look_around();
      if (begins) watch();
    });
  }
  [[nodiscard]] SurroundingsSample look_around() const {
    std::vector<pid_t> threads;
    for (const auto& worker : workers_) threads.push_back(worker->thread_id());
    return sample_surroundings(target_, threads);
  }

  // The next end of an interval or, in the measure phase, of a slice.
  [[nodiscard]] MonoTime following(MonoTime look) const {
    const MonoTime begin = signals_.times.measure_begin;
    if (look < begin) return look + plan_.interval;
    const Nanos into = look - begin;
    const Nanos interval_end = (into / plan_.interval + 1) * plan_.interval;
    return begin + std::min(interval_end, slice_end(into));
  }

  // A little after each of these ends, when the workers have handed over.
  void look_again() {
    const Nanos later =
        std::min<Nanos>(std::chrono::milliseconds(20), (following(next_look_) - next_look_) / 2);
    timer_.expires_at(std::chrono::time_point_cast<SteadyClock::duration>(next_look_ + later));
    timer_.async_wait([this](const asio::error_code& error) {
      if (error || done_ == workers_.size()) return;
      collector_->collect([this](const IntervalRecord& r, bool warm_up) { show(r, warm_up); });
      next_look_ = following(next_look_);
      look_again();
    });
  }

  void on_worker_failed(std::exception_ptr error) {
    worker_failure_ = std::move(error);
    stop_workers();
  }

  void on_worker_done() {
    if (++done_ < workers_.size()) return;
    timer_.cancel();
    watch_.cancel();
    signal_set_.cancel();
  }

  void show(const IntervalRecord& interval, bool warm_up) {
    if (hooks_.on_measured && !warm_up) hooks_.on_measured(record_);
    // A run that a signal ended while it was set up has no time that has passed.
    if (!hooks_.on_interval || signals_.times.start == MonoTime{}) return;
    const MonoTime now = mono_now();
    const double seconds =
        std::max(1e-3, to_seconds(warm_up ? std::min(plan_.interval, plan_.warm_up)
                                          : interval.end - interval.begin));
    Progress progress;
    const bool draining = !warm_up && plan_.duration && interval.begin >= *plan_.duration;
    progress.phase = warm_up ? "warm-up" : draining ? "drain" : "measure";
    progress.elapsed = now - signals_.times.start;
    if (plan_.duration) progress.left = std::max(Nanos(0), signals_.times.measure_end - now);
    progress.intended_per_s = record_.intended_per_s;
    progress.offered_per_s = static_cast<double>(interval.counters.sent) / seconds;
    progress.achieved_per_s = static_cast<double>(interval.counters.completed) / seconds;
    progress.response_p50 = interval.latencies.response.at(kP50);
    progress.response_p99 = interval.latencies.response.at(kP99);
    progress.lost = interval.counters.lost;
    progress.errors = total(interval.counters.errors) + total(interval.counters.unsent);
    hooks_.on_interval(progress);
  }

  const RunPlan& plan_;
  std::optional<pid_t> target_;
  std::vector<MemorySample> memory_;
  const RunHooks& hooks_;
  RunRecord& record_;
  RunSignals signals_;
  std::vector<std::unique_ptr<Handoff>> handoffs_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<Collector> collector_;
  asio::io_context io_{1};
  asio::signal_set signal_set_;
  asio::steady_timer timer_;
  asio::steady_timer watch_;
  Watched watched_;
  HostCounts host_before_;
  MonoTime next_look_;
  std::size_t ready_ = 0;
  std::size_t done_ = 0;
  std::size_t met_ = 0;  // at the meeting that is on
  int signal_ = 0;
  std::optional<RunError> set_up_error_;
  std::exception_ptr worker_failure_;
};

}  // namespace

RunHooks joined(std::vector<RunHooks> hooks) {
  const auto all = std::make_shared<const std::vector<RunHooks>>(std::move(hooks));
  const auto call = [all](auto member) {
    return [all, member](const auto&... what) {
      for (const RunHooks& one : *all)
        if (one.*member) (one.*member)(what...);
    };
  };
  return {.on_start = call(&RunHooks::on_start),
          .on_measured = call(&RunHooks::on_measured),
          .on_interval = call(&RunHooks::on_interval),
          .on_warning = call(&RunHooks::on_warning),
          .on_abandon = call(&RunHooks::on_abandon)};
}

RunRecord run(const RunPlan& plan, const RunHooks& hooks) {
  if (auto refused = refusal(socket_need(plan), socket_room())) throw RunError(*refused);
  if (auto refused = option_refusal(plan)) throw RunError(*refused);
  std::optional<OwnTarget> own;
  if (!plan.where) {
    const OwnTargetKind kind = own_target_kind(plan);
    own.emplace(own_target_arguments(plan, kind), own_target_cpu(plan.pin, plan.threads), kind);
  }
  const HostPort where = plan.where ? *plan.where : own->where();
  const Address peer = choose_peer(plan, where);

  RunRecord record = blank_record(plan, where, peer);
  record.generator.calibration = calibrate_clock_readings();
  const TcpNetstat netstat = plan.protocol == Protocol::tcp ? read_netstat() : TcpNetstat{};
  const Route route =
      route_to(peer, plan.source ? std::optional(plan.source->at(0)) : std::nullopt);
  const ProcessUsage before = process_usage();
  Conductor conductor(plan, peer, own ? std::optional(own->pid()) : std::nullopt, hooks, record);
  conductor.conduct();
  fill_record(record, plan, conductor.workers(), conductor.times(), conductor.signal(), before);
  record.conditions = conditions_of(plan, route, conductor.workers());
  if (plan.protocol == Protocol::tcp) add_handshakes(record, peer, netstat);
  if (has_loss_places(plan) && conductor.signal() == 0)
    add_loss_places(record, peer, since(conductor.host_before(), read_host_counts()),
                    conductor.workers());
  fill_conduct(record, plan, conductor.workers(), conductor.times(), conductor.watched());
  if (plan.stamps) add_delays(record, conductor.workers());
  if (plan.workload == Workload::hold) fill_hold(record, conductor.workers(), conductor.memory());
  if (own) {
    if (!record.target_side) record.target_side.emplace();
    if (const std::optional<ChildUsage> usage = own->stop())
      record.target_side->cpu_s = usage->cpu_s;
  }
  return record;
}

}  // namespace volley
