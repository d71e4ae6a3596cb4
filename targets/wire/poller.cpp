#include "targets/wire/poller.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
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

int control(int epoll, int operation, int fd, std::uint64_t tag, bool read, bool write) {
  epoll_event event{};
  event.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
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

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) refuse("epoll set", errno);
}

int Poller::add(int fd, std::uint64_t tag, bool read, bool write) {
  return control(epoll_.get(), EPOLL_CTL_ADD, fd, tag, read, write);
}

int Poller::change(int fd, std::uint64_t tag, bool read, bool write) {
  return control(epoll_.get(), EPOLL_CTL_MOD, fd, tag, read, write);
}

void Poller::remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const Ready> Poller::wait(std::optional<Nanos> timeout) {
  const int n = wait_for_events(epoll_.get(), events_, timeout);
  if (n < 0) {
    ensure(errno == EINTR, "an epoll set that is open can be waited on");
    return {};
  }
  const auto count = static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t events = events_[i].events;
    const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    ready_[i] = Ready{.tag = events_[i].data.u64,
                      .readable = failed || (events & EPOLLIN) != 0,
                      .writable = (events & EPOLLOUT) != 0,
                      .failed = failed};
  }
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
