#include "targets/serve/server.hpp"

#include <fmt/format.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "targets/serve/listeners.hpp"
#include "targets/serve/worker.hpp"

namespace volley {
namespace {

// Waits on the calling thread for the first thing that ends the target.
class EndWatch {
 public:
  explicit EndWatch(const std::optional<Nanos>& max_duration)
      : signals_(io_, SIGINT, SIGTERM), timer_(io_) {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
      if (!error) end(signal == SIGINT ? "SIGINT" : "SIGTERM");
    });
    if (!max_duration) return;
    timer_.expires_after(*max_duration);
    timer_.async_wait([this](const asio::error_code& error) {
      if (!error) end("max_duration");
    });
  }

  // Any thread.
  void request(const std::string& why) {
    asio::post(io_, [this, why] { end(why); });
  }

  std::string wait() {
    io_.run();
    return why_;
  }

 private:
  void end(const std::string& why) {
    if (why_.empty()) why_ = why;
    // From here on a second signal ends the process at once.
    signals_.clear();
    io_.stop();
  }

  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer timer_;
  std::string why_;
};

// Where --pin ties a thread: from the last CPU backwards, as a pinned generator takes them from the
// first on.
unsigned cpu_of(unsigned thread, std::span<const unsigned> cpus) {
  return cpus[cpus.size() - 1 - thread % cpus.size()];
}

std::vector<std::optional<unsigned>> threads_by_cpu(unsigned threads) {
  const std::vector<unsigned> cpus = allowed_cpus();
  std::vector<std::optional<unsigned>> by_cpu(cpus.back() + 1);
  for (unsigned thread = 0; thread < threads; ++thread) by_cpu[cpu_of(thread, cpus)] = thread;
  return by_cpu;
}

// Threads that are stopped and joined on every way out.
class Threads {
 public:
  Threads(TargetShared& shared, std::deque<Worker>& workers) : shared_(shared), workers_(workers) {}
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { stop(); }

  void start() {
    unsigned number = 0;
    for (Worker& worker : workers_) {
      threads_.emplace_back([this, &worker, number] {
        try {
          if (shared_.options.pin) pin(number);
          if (may_own_descriptors()) own_descriptor_table();
          worker.run();
        } catch (const std::exception& error) {
          shared_.request_stop(std::string("failed: ") + error.what());
        }
        worker.close_connections();
      });
      ++number;
    }
  }

  void stop() {
    shared_.stopping.store(true, std::memory_order_release);
    for (const Worker& worker : workers_) worker.wake();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void pin(unsigned number) const {
    const int error = pin_this_thread(cpu_of(number, allowed_cpus()));
    if (error != 0) shared_.note("--pin: a thread cannot be tied to its CPU: " + error_text(error));
  }

  // With several threads, one serves what another has accepted; one that does not spin may close
  // its listeners (--one-peer), which must be the only copies. Over UDP nothing is gained by it.
  [[nodiscard]] bool may_own_descriptors() const {
    const ServeOptions& o = shared_.options;
    return o.wait == Wait::spin && o.threads == 1 && serves(o.kind, Protocol::tcp);
  }

  TargetShared& shared_;
  std::deque<Worker>& workers_;
  std::vector<std::thread> threads_;
};

void note_exposure(const ServeOptions& o, const BoundTarget& target,
                   const std::function<void(const std::string&)>& note) {
  const bool echoes = o.kind == TargetKind::all || o.kind == TargetKind::udp_echo;
  if (!echoes || o.open) return;
  for (const Address& address : target.addresses) {
    if (address.is_loopback()) continue;
    note(fmt::format(
        "udp://{} can be reached by others, so it answers volley's own frames only; --open answers "
        "plain text too",
        address.text()));
  }
}

TargetRecord add_up(const ServeOptions& options, const std::deque<Worker>& workers) {
  TargetRecord record;
  record.kind = to_string(options.kind);
  record.threads = options.threads;
  record.wait = options.wait == Wait::spin ? "spin" : "block";
  record.pinned = options.pin;
  record.deal = to_string(options.deal);
  record.seed = options.behaviour.seed;
  if (serves(options.kind, Protocol::udp)) record.udp.emplace();
  if (serves(options.kind, Protocol::tcp)) record.tcp.emplace();
  for (const Worker& worker : workers) {
    if (record.udp) *record.udp += worker.udp();
    if (record.tcp) *record.tcp += worker.tcp();
    record.by_thread.push_back(
        {.datagrams = worker.udp().datagrams, .connections = worker.tcp().accepted});
  }
  return record;
}

}  // namespace

TargetRecord serve(const ServeOptions& options, const ServeHooks& hooks) {
  check(options);
  check_cpus(options, static_cast<unsigned>(allowed_cpus().size()));
  // A reader of our output that goes away is no reason to stop serving.
  std::signal(SIGPIPE, SIG_IGN);
  EndWatch end(options.max_duration);
  BoundTarget target = bind_target(options);
  std::optional<EventLog> log;
  if (!options.event_log.empty()) log.emplace(options.event_log);
  Console console(stdout);

  std::mutex notes;
  TargetShared shared(options);
  shared.console = &console;
  shared.event_log = log ? &*log : nullptr;
  shared.bound = target.addresses;
  if (options.deal == Deal::cpu) shared.thread_on_cpu = threads_by_cpu(options.threads);
  shared.request_stop = [&end](const std::string& why) { end.request(why); };
  shared.note = [&](const std::string& sentence) {
    const std::lock_guard lock(notes);
    if (hooks.on_note) hooks.on_note(sentence);
  };
  std::deque<Worker> workers;
  for (ThreadSockets& sockets : target.threads) {
    workers.emplace_back(shared, std::move(sockets), static_cast<unsigned>(workers.size()));
  }
  shared.hand_over = [&workers](unsigned thread, Accepted accepted) {
    workers[thread].give(std::move(accepted));
  };

  note_exposure(options, target, shared.note);
  const std::string started_at = format_utc(wall_now());
  const MonoTime begin = mono_now();
  Threads threads(shared, workers);
  threads.start();
  if (hooks.on_ready) hooks.on_ready(target.listening);
  const std::string why = end.wait();
  threads.stop();

  TargetRecord record = add_up(options, workers);
  record.listening = target.listening;
  record.started_at = started_at;
  record.duration = mono_now() - begin;
  record.ended_by = why;
  workers.clear();  // writes what is left of the event log
  if (why.starts_with("failed"))
    throw RunError("internal", "measure", "a thread of the target " + why);
  if (log && log->error() != 0) {
    throw RunError("report_path", "report",
                   fmt::format("--event-log {}: writing failed: {}; make room and start again",
                               options.event_log, error_text(log->error())));
  }
  return record;
}

}  // namespace volley
