#include "targets/wire/poller.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

[[noreturn]] void refuse(std::string_view what, int error) {
  throw RunError(
      "too_many_files", "setup",
      fmt::format("{}: cannot be created ({}); raise the limit of open files (ulimit -n)", what,
                  error_text(error)));
}

static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
              POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP && POLLPRI == EPOLLPRI);

std::uint32_t events_for(bool read, bool write) {
  return (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
}

Ready ready_of(std::uint64_t tag, std::uint32_t events) {
  const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
  return {.tag = tag,
          .readable = failed || (events & EPOLLIN) != 0,
          .writable = (events & EPOLLOUT) != 0,
          .failed = failed,
          .more = (events & (EPOLLRDHUP | EPOLLPRI)) != 0};
}

int control(int epoll, int operation, int fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : errno;
}

timespec to_timespec(Nanos t) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(t);
  timespec result{};
  result.tv_sec = seconds.count();
  result.tv_nsec = (t - seconds).count();
  return result;
}

int wait_for_events(int epoll, std::span<epoll_event> events, std::optional<Nanos> timeout) {
  const auto most = static_cast<int>(events.size());
  timespec limit{};
  if (timeout) limit = to_timespec(std::max(*timeout, Nanos{0}));
  const int n = epoll_pwait2(epoll, events.data(), most, timeout ? &limit : nullptr, nullptr);
  if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
  // Kernels before 5.11, and old container filters, do not know epoll_pwait2. Rounding down keeps
  // "at most": the last millisecond is then spent looking, not waiting.
  const std::int64_t ms = limit.tv_sec * 1000 + limit.tv_nsec / 1'000'000;
  const auto capped = static_cast<int>(std::min<std::int64_t>(ms, 1'000'000'000));
  return epoll_wait(epoll, events.data(), most, timeout ? capped : -1);
}

}  // namespace

void wait_without_slack() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) refuse("epoll set", errno);
}

bool Poller::has(int fd) const {
  return fd >= 0 && static_cast<std::size_t>(fd) < members_.size() &&
         members_[static_cast<std::size_t>(fd)].in;
}

int Poller::add(int fd, std::uint64_t tag, bool read, bool write) {
  if (fd < 0) return EBADF;
  if (has(fd)) return EEXIST;
  if (polls_ && count_ == kMostPolled)
    if (const int error = move_to_epoll()) return error;
  const std::uint32_t events = events_for(read, write);
  if (!polls_)
    if (const int error = control(epoll_.get(), EPOLL_CTL_ADD, fd, tag, events)) return error;
  const auto at = static_cast<std::size_t>(fd);
  if (at >= members_.size()) members_.resize(at + 1);
  members_[at] = {.tag = tag, .events = events, .in = true};
  if (polls_) polled_.push_back({.fd = fd, .events = static_cast<short>(events), .revents = 0});
  ++count_;
  return 0;
}

int Poller::change(int fd, std::uint64_t tag, bool read, bool write) {
  return set_events(fd, tag, events_for(read, write));
}

int Poller::tell_once(int fd, std::uint64_t tag) {
  return set_events(fd, tag, EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET);
}

int Poller::set_events(int fd, std::uint64_t tag, std::uint32_t events) {
  if (!has(fd)) return ENOENT;
  if (!polls_)
    if (const int error = control(epoll_.get(), EPOLL_CTL_MOD, fd, tag, events)) return error;
  Member& member = members_[static_cast<std::size_t>(fd)];
  member.tag = tag;
  member.events = events;
  if (polls_) polled(fd)->events = static_cast<short>(events);
  return 0;
}

void Poller::remove(int fd) {
  if (has(fd) && !polls_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  forget(fd);
}

void Poller::forget(int fd) {
  if (!has(fd)) return;
  members_[static_cast<std::size_t>(fd)].in = false;
  --count_;
  if (polls_) {
    *polled(fd) = polled_.back();
    polled_.pop_back();
  } else if (count_ == kFewPolled) {
    move_from_epoll();
  }
}

std::vector<pollfd>::iterator Poller::polled(int fd) {
  return std::find_if(polled_.begin(), polled_.end(),
                      [&](const pollfd& one) { return one.fd == fd; });
}

int Poller::move_to_epoll() {
  for (const pollfd& one : polled_) {
    const Member& member = members_[static_cast<std::size_t>(one.fd)];
    const int error = control(epoll_.get(), EPOLL_CTL_ADD, one.fd, member.tag, member.events);
    if (error == 0) continue;
    for (const pollfd& moved : polled_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, moved.fd, nullptr);
    return error;
  }
  polled_.clear();
  polls_ = false;
  return 0;
}

void Poller::move_from_epoll() {
  for (std::size_t fd = 0; fd < members_.size(); ++fd) {
    const Member& member = members_[fd];
    if (!member.in) continue;
    const auto number = static_cast<int>(fd);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, number, nullptr);
    polled_.push_back({.fd = number, .events = static_cast<short>(member.events), .revents = 0});
  }
  polls_ = true;
}

std::span<const Ready> Poller::wait(std::optional<Nanos> timeout) {
  return polls_ ? wait_polled(timeout) : wait_epoll(timeout);
}

std::span<const Ready> Poller::wait_polled(std::optional<Nanos> timeout) {
  timespec limit{};
  if (timeout) limit = to_timespec(std::max(*timeout, Nanos{0}));
  const int n = ppoll(polled_.data(), polled_.size(), timeout ? &limit : nullptr, nullptr);
  if (n <= 0) {
    ensure(n == 0 || errno == EINTR, "descriptors that are open can be waited on");
    return {};
  }
  std::size_t count = 0;
  for (const pollfd& one : polled_) {
    if (one.revents == 0) continue;
    ready_[count++] = ready_of(members_[static_cast<std::size_t>(one.fd)].tag,
                               static_cast<std::uint32_t>(one.revents));
  }
  return std::span(ready_).first(count);
}

std::span<const Ready> Poller::wait_epoll(std::optional<Nanos> timeout) {
  const int n = wait_for_events(epoll_.get(), events_, timeout);
  if (n < 0) {
    ensure(errno == EINTR, "an epoll set that is open can be waited on");
    return {};
  }
  const auto count = static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < count; ++i)
    ready_[i] = ready_of(events_[i].data.u64, events_[i].events);
  return std::span(ready_).first(count);
}

Waker::Waker() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!event_.is_open()) refuse("eventfd", errno);
}

void Waker::wake() const {
  // A full counter (EAGAIN) is as good as a write: the waiting thread wakes either way. errno is
  // kept because the caller may be a signal handler in the middle of somebody's system call.
  const int kept = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  errno = kept;
}

void Waker::drain() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
}

}  // namespace volley
