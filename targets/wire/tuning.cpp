#include "targets/wire/tuning.hpp"

#include <linux/close_range.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace volley {

namespace {

// This thread may run on these CPUs only. errno.
int allow_cpus(std::span<const unsigned> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus) {
    if (cpu >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpu, &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

}  // namespace

std::string_view to_string(Wait wait) {
  switch (wait) {
    case Wait::block:
      return "block";
    case Wait::spin:
      return "spin";
    case Wait::hybrid:
      return "hybrid";
    case Wait::automatic:
      break;
  }
  return "auto";
}

std::string_view to_string(Offload offload) {
  switch (offload) {
    case Offload::on:
      return "on";
    case Offload::off:
      return "off";
    case Offload::automatic:
      break;
  }
  return "auto";
}

std::vector<unsigned> allowed_cpus() {
  // The kernel refuses a set smaller than its own, whose size nobody tells.
  for (std::size_t most = 1024; most <= 1U << 20U; most *= 2) {
    const std::size_t bytes = CPU_ALLOC_SIZE(most);
    std::vector<cpu_set_t> set((bytes + sizeof(cpu_set_t) - 1) / sizeof(cpu_set_t));
    if (sched_getaffinity(0, bytes, set.data()) != 0) continue;
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < most; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set.data())) cpus.push_back(cpu);
    }
    if (!cpus.empty()) return cpus;
  }
  return {0};
}

int pin_this_thread(unsigned cpu) { return allow_cpus(std::array{cpu}); }

void own_descriptor_table() {
  // An empty range: nothing is closed. unshare(CLONE_FILES) does the same, but containers forbid
  // it.
  (void)close_range(~0U, ~0U, CLOSE_RANGE_UNSHARE);
}

std::optional<unsigned> incoming_cpu(const Descriptor& socket) {
  int cpu = -1;
  socklen_t size = sizeof cpu;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_INCOMING_CPU, &cpu, &size) != 0 || cpu < 0)
    return std::nullopt;
  return static_cast<unsigned>(cpu);
}

StayOff::StayOff(std::span<const unsigned> cpus) {
  std::vector<unsigned> before = allowed_cpus();
  std::vector<unsigned> others = before;
  std::erase_if(
      others, [&](unsigned cpu) { return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end(); });
  if (!others.empty() && allow_cpus(others) == 0) before_ = std::move(before);
}

StayOff::~StayOff() {
  if (!before_.empty()) (void)allow_cpus(before_);
}

}  // namespace volley
