// What the services of one thread work with: the target's options, what all threads share, and this
// thread's own counters, buffers and virtual server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/measure/target_record.hpp"
#include "reports/measure/time.hpp"
#include "targets/serve/behaviour.hpp"
#include "targets/serve/console.hpp"
#include "targets/serve/cookie.hpp"
#include "targets/serve/dealer.hpp"
#include "targets/serve/event_log.hpp"
#include "targets/serve/options.hpp"
#include "targets/wire/poller.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// A connection on its way to the thread that serves it.
struct Accepted {
  Descriptor socket;
  Address peer;
};

// Shared by all threads of a target; everything but the atomics is fixed before they start.
struct TargetShared {
  explicit TargetShared(const ServeOptions& o)
      : options(o), behaviour(o.behaviour), dealer(o.threads) {}

  const ServeOptions& options;
  Behaviour behaviour;
  HashKey key = random_hash_key();
  Console* console = nullptr;
  EventLog* event_log = nullptr;
  std::vector<Address> bound;                     // every address the target listens on
  std::function<void(std::string)> request_stop;  // any thread; the text says why
  std::function<void(std::string)> note;          // any thread; a sentence for stderr
  Dealer dealer;
  // --deal cpu: for each CPU from 0 the thread that is tied to it, if one is. Else empty.
  std::vector<std::optional<unsigned>> thread_on_cpu;
  // Gives an accepted connection to the thread that shall serve it. Any thread.
  std::function<void(unsigned thread, Accepted)> hand_over;

  std::atomic<std::uint64_t> connections{0};  // open ones, touched per accept and close
  std::atomic<bool> stopping{false};
  std::atomic<std::int64_t> first_request_ns{0};  // monotonic; 0: none yet. Only used with a stall
  std::atomic<bool> descriptors_ran_out{false};   // the note about it was given
};

struct ThreadContext {
  ThreadContext(TargetShared& all, Poller& set, unsigned number = 0)
      : shared(all),
        options(all.options),
        thread(number),
        poller(set),
        events(all.event_log),
        times_arrivals(all.behaviour.defers() || all.behaviour.shapes_udp() || events.on() ||
                       options.behaviour.stall) {}

  TargetShared& shared;
  const ServeOptions& options;
  unsigned thread;  // from 0
  Poller& poller;
  EventWriter events;
  // Whether anything depends on when a request came: a delay, a stall, the event log.
  bool times_arrivals;
  VirtualServer server;
  TargetUdpCounters udp;
  TargetTcpCounters tcp;
  bool saw_first_request = false;  // this thread no longer needs to look

  // For what has just come. Where nothing depends on it the clock is left alone: the peer would
  // wait for the reading.
  [[nodiscard]] MonoTime arrival_time() const { return times_arrivals ? mono_now() : MonoTime{}; }

  // Called with the time of a batch that holds a request; the first one of all sets the clock of
  // the stall going. This thread then tells of it in the event log.
  void on_request(MonoTime now) {
    if (saw_first_request) return;
    saw_first_request = true;
    if (!options.behaviour.stall) return;
    std::int64_t none = 0;
    tells_of_stall =
        shared.first_request_ns.compare_exchange_strong(none, now.time_since_epoch().count());
  }
  bool tells_of_stall = false;
};

// What a Poller tag says: the kind of thing that is ready, and which one.
enum class TagKind : std::uint8_t { waker, udp, listener, connection };
[[nodiscard]] constexpr std::uint64_t make_tag(TagKind kind, std::uint32_t index,
                                               std::uint32_t generation = 0) {
  return (static_cast<std::uint64_t>(kind) << 56U) |
         (static_cast<std::uint64_t>(generation & 0xFFFFFFU) << 32U) | index;
}
[[nodiscard]] constexpr TagKind tag_kind(std::uint64_t tag) {
  return static_cast<TagKind>(tag >> 56U);
}
[[nodiscard]] constexpr std::uint32_t tag_index(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag);
}
[[nodiscard]] constexpr std::uint32_t tag_generation(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag >> 32U) & 0xFFFFFFU;
}

// The earlier of two times of which either may be missing.
[[nodiscard]] inline std::optional<MonoTime> earlier(std::optional<MonoTime> a,
                                                     std::optional<MonoTime> b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

}  // namespace volley
