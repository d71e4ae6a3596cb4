#include "targets/serve/worker.hpp"

#include <poll.h>

#include <algorithm>

#include "reports/measure/ensure.hpp"

namespace volley {

Worker::Worker(TargetShared& shared, ThreadSockets sockets, unsigned number)
    : context_(shared, poller_, number), tcp_(context_) {
  if (poller_.add(waker_.fd(), make_tag(TagKind::waker, 0), true, false) != 0) {
    throw RunError("too_many_files", "setup", "a thread's waker cannot be waited on");
  }
  std::uint32_t index = 0;
  for (Descriptor& socket : sockets.udp) udp_.emplace_back(std::move(socket), context_, index++);
  for (Descriptor& listener : sockets.tcp) tcp_.add_listener(std::move(listener));
  const bool spins = context_.options.wait == Wait::spin;
  if (udp_.size() == 1 && sockets.tcp.empty() && !spins) udp_.front().wait_in_receive();
}

void Worker::wake() const {
  waker_.wake();
  for (const UdpService& udp : udp_) udp.stop_waiting();
}

void Worker::give(Accepted accepted) {
  {
    const std::lock_guard lock(given_mutex_);
    given_.push_back(std::move(accepted));
  }
  waker_.wake();
}

void Worker::take_given(MonoTime now) {
  std::vector<Accepted> given;
  {
    const std::lock_guard lock(given_mutex_);
    given.swap(given_);
  }
  for (Accepted& one : given) tcp_.adopt(std::move(one.socket), one.peer, now);
}

void Worker::run() {
  wait_without_slack();
  if (context_.options.wait == Wait::spin) spin();
  while (!context_.shared.stopping.load(std::memory_order_acquire)) {
    if (udp_.size() == 1 && udp_.front().waits_in_receive()) {
      udp_.front().receive_next();
      continue;
    }
    if (tcp_.waits_in_receive()) {
      tcp_.receive_next();
      continue;
    }
    look(time_to_wait());
  }
  for (UdpService& udp : udp_) udp.finish();
  tcp_.finish();
  context_.events.flush();
}

void Worker::spin() {
  // A look costs as much as some tries, and what comes meanwhile waits for its end; so the longer
  // looks find nothing, the rarer they are. Answers that wait for their time or for a socket that
  // takes more want them.
  constexpr unsigned kMostTriesPerLook = 512;
  unsigned look_every = kTriesPerLook;
  const bool stalls = context_.options.behaviour.stall.has_value();
  unsigned tries = 0;
  while (!context_.shared.stopping.load(std::memory_order_acquire)) {
    unsigned calls = 0;
    // With one socket to read, nothing else waits while it is asked several times.
    const unsigned times = udp_.size() + tcp_.open() == 1 ? kTriesAtOnce : 1;
    if (!stalls) {
      for (UdpService& udp : udp_) calls += udp.try_receive(times);
      calls += tcp_.try_receive(times);
    }
    tries += calls;
    if (calls != 0 && tries < look_every) continue;
    tries = 0;
    const bool often = look(Nanos{0}) || context_.times_arrivals || tcp_.waits_to_write();
    look_every = often ? kTriesPerLook : std::min(2 * look_every, kMostTriesPerLook);
  }
}

bool Worker::look(std::optional<Nanos> patience) {
  const auto ready = poller_.wait(patience);
  if (context_.options.behaviour.stall && sit_out_stall()) return true;
  const MonoTime arrived = context_.arrival_time();
  for (const Ready& one : ready) dispatch(one, arrived);
  const MonoTime now = mono_now();
  for (UdpService& udp : udp_) udp.on_time(now);
  tcp_.on_time(now);
  return !ready.empty();
}

void Worker::dispatch(const Ready& ready, MonoTime arrived) {
  switch (tag_kind(ready.tag)) {
    case TagKind::waker:
      waker_.drain();
      take_given(mono_now());
      break;
    case TagKind::udp:
      udp_[tag_index(ready.tag)].on_ready(ready, arrived);
      break;
    case TagKind::listener:
      tcp_.on_listener(tag_index(ready.tag), mono_now());
      break;
    case TagKind::connection:
      tcp_.on_connection(ready, arrived);
      break;
  }
}

std::optional<Nanos> Worker::time_to_wait() {
  std::optional<MonoTime> due = tcp_.next_due();
  for (const UdpService& udp : udp_) due = earlier(due, udp.next_due());
  if (const auto window = stall()) due = earlier(due, window->begin());
  if (!due) return std::nullopt;
  return std::max(*due - mono_now(), Nanos{0});
}

std::optional<StallWindow> Worker::stall() const {
  const auto& option = context_.options.behaviour.stall;
  if (!option || stall_is_over_) return std::nullopt;
  const std::int64_t first = context_.shared.first_request_ns.load();
  if (first == 0) return std::nullopt;
  return StallWindow(*option, MonoTime(Nanos{first}));
}

bool Worker::sit_out_stall() {
  const auto window = stall();
  MonoTime now = mono_now();
  if (!window || now < window->begin()) return false;
  stall_is_over_ = true;
  if (now >= window->end()) return false;
  if (context_.tells_of_stall) context_.events.write(now, Event::stall_begin);
  // Only the end of the stall and the end of the target are waited for; sockets fill up meanwhile.
  while (now < window->end() && !context_.shared.stopping.load(std::memory_order_acquire)) {
    const Nanos left = window->end() - now;
    const timespec timeout{.tv_sec = left / std::chrono::seconds(1),
                           .tv_nsec = (left % std::chrono::seconds(1)).count()};
    pollfd waker{.fd = waker_.fd(), .events = POLLIN, .revents = 0};
    ppoll(&waker, 1, &timeout, nullptr);
    now = mono_now();
  }
  // The end as programmed, not when this thread woke up: the others have gone on by then.
  if (context_.tells_of_stall)
    context_.events.write(std::min(now, window->end()), Event::stall_end);
  return true;
}

}  // namespace volley
