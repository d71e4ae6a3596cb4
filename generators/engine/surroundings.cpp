#include "generators/engine/surroundings.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <numeric>
#include <string>

#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// The three clocks, read as near to one another as a few tries allow.
Clocks read_clocks() {
  constexpr int tries = 8;
  Clocks best;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < tries; ++i) {
    Clocks clocks;
    const std::int64_t first = read_clock(CLOCK_MONOTONIC);
    clocks.raw = read_clock(CLOCK_MONOTONIC_RAW);
    clocks.real = read_clock(CLOCK_REALTIME);
    const std::int64_t took = read_clock(CLOCK_MONOTONIC) - first;
    clocks.monotonic = first + took / 2;
    if (took >= least) continue;
    least = took;
    best = clocks;
  }
  return best;
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

// The next number of a line, behind blanks; none: something else stands there.
std::optional<std::uint64_t> next_number(std::string_view& line) {
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return value;
}

// The group's own cpu.stat and those of all above it: each can hold back what is below. The root of
// version 2 has no such line, and holds nobody back.
std::optional<std::uint64_t> throttled_below(const std::string& mount, std::string_view path,
                                             bool root_may_lack_it) {
  std::optional<std::uint64_t> sum;
  std::string group(path == "/" ? "" : path);
  while (true) {
    const auto text = read_fact(mount + group + "/cpu.stat");
    const auto here = text ? parse_throttled(*text) : std::nullopt;
    if (here) sum = sum.value_or(0) + *here;
    if (text && !here && root_may_lack_it && !sum) sum = 0;
    if (group.empty()) return sum;
    group.erase(group.rfind('/'));
  }
}

std::optional<std::uint64_t> throttled() {
  const auto text = read_fact("/proc/self/cgroup");
  const auto group = text ? parse_cpu_group(*text) : std::nullopt;
  if (!group) return std::nullopt;
  if (group->version == 2) return throttled_below("/sys/fs/cgroup", group->path, true);
  for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"})
    if (const auto sum = throttled_below(mount, group->path, false)) return sum;
  return std::nullopt;
}

std::optional<double> own_cpu_s() {
  timespec t{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return std::nullopt;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double ticks_per_s() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

std::optional<double> cpu_s_of(pid_t process) {
  const auto text = read_fact(fmt::format("/proc/{}/stat", process));
  const auto ticks = text ? parse_process_ticks(*text) : std::nullopt;
  if (!ticks) return std::nullopt;
  return static_cast<double>(*ticks) / ticks_per_s();
}

void compare_cpus(const SurroundingsSample& before, const SurroundingsSample& after,
                  Conduct& conduct) {
  if (!before.cpus || !after.cpus || after.cpus->total <= before.cpus->total) return;
  const auto total = static_cast<double>(after.cpus->total - before.cpus->total);
  conduct.steal_ratio =
      static_cast<double>(after.cpus->steal - std::min(before.cpus->steal, after.cpus->steal)) /
      total;
  if (!before.own_cpu_s || !after.own_cpu_s) return;
  double ours = *after.own_cpu_s - *before.own_cpu_s;
  if (before.target_cpu_s && after.target_cpu_s) ours += *after.target_cpu_s - *before.target_cpu_s;
  const auto used =
      static_cast<double>(after.cpus->used - std::min(before.cpus->used, after.cpus->used));
  conduct.foreign_ratio = std::max(0.0, used - ours * ticks_per_s()) / total;
}

void compare_clocks(const Clocks& before, const Clocks& after, Conduct& conduct) {
  const std::int64_t passed = after.raw - before.raw;
  const std::int64_t mono = after.monotonic - before.monotonic;
  if (passed <= 0) return;
  conduct.clock_drift_ppm =
      std::abs(static_cast<double>(mono - passed)) / static_cast<double>(passed) * 1e6;
  conduct.clock_step_ns = std::abs(static_cast<double>(after.real - before.real - mono));
}

}  // namespace

SurroundingsSample sample_surroundings(std::optional<pid_t> target,
                                       std::span<const pid_t> threads) {
  SurroundingsSample sample;
  sample.clocks = read_clocks();
  sample.own_cpu_s = own_cpu_s();
  if (target) sample.target_cpu_s = cpu_s_of(*target);
  const auto stat = read_fact("/proc/stat");
  if (stat) sample.cpus = parse_cpu_use(*stat, allowed_cpus());
  sample.throttled = throttled();
  for (const pid_t thread : threads) sample.run_queue_wait_ns.push_back(run_queue_wait_of(thread));
  return sample;
}

void compare_surroundings(const SurroundingsSample& before, const SurroundingsSample& after,
                          Conduct& conduct) {
  compare_cpus(before, after, conduct);
  compare_clocks(before.clocks, after.clocks, conduct);
  if (before.throttled && after.throttled)
    conduct.throttled = *after.throttled - std::min(*before.throttled, *after.throttled);
}

pid_t this_thread_id() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

std::optional<std::uint64_t> run_queue_wait_of(pid_t thread) {
  const auto text = read_fact(fmt::format("/proc/self/task/{}/schedstat", thread));
  return text ? parse_run_queue_wait(*text) : std::nullopt;
}

std::optional<double> clock_resolution_ns() {
  // The least step would be what a reading takes, where that is more than what the clock steps by.
  constexpr int readings = 200;
  std::int64_t common = 0;
  MonoTime last = mono_now();
  for (int i = 0; i < readings; ++i) {
    const MonoTime now = mono_now();
    common = std::gcd(common, (now - last).count());
    last = now;
  }
  return common > 0 ? std::optional(static_cast<double>(common)) : std::nullopt;
}

std::string clock_source() {
  return read_fact("/sys/devices/system/clocksource/clocksource0/current_clocksource").value_or("");
}

std::optional<CpuTimes> parse_cpu_use(std::string_view stat, std::span<const unsigned> cpus) {
  CpuTimes sum;
  std::size_t found = 0;
  while (!stat.empty()) {
    const std::string_view line = next_line(stat);
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    std::string_view number = line.substr(3);
    const auto cpu = next_number(number);
    if (!cpu || std::find(cpus.begin(), cpus.end(), *cpu) == cpus.end()) continue;
    const auto use = parse_cpu_times(line);
    if (!use) return std::nullopt;
    sum.total += use->total;
    sum.used += use->used;
    sum.steal += use->steal;
    ++found;
  }
  return found > 0 && found == cpus.size() ? std::optional(sum) : std::nullopt;
}

std::optional<std::uint64_t> parse_run_queue_wait(std::string_view schedstat) {
  if (!next_number(schedstat)) return std::nullopt;
  return next_number(schedstat);
}

std::optional<std::uint64_t> parse_throttled(std::string_view cpu_stat) {
  constexpr std::string_view key = "nr_throttled ";
  while (!cpu_stat.empty()) {
    std::string_view line = next_line(cpu_stat);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    return next_number(line);
  }
  return std::nullopt;
}

std::optional<CpuGroup> parse_cpu_group(std::string_view cgroup) {
  std::optional<CpuGroup> second;
  while (!cgroup.empty()) {
    const std::string_view line = next_line(cgroup);
    const std::size_t first = line.find(':');
    const std::size_t last = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (last == std::string_view::npos) continue;
    const std::string_view path = line.substr(last + 1);
    if (!path.starts_with('/') || path.find("/../") != std::string_view::npos) continue;
    std::string_view controllers = line.substr(first + 1, last - first - 1);
    if (controllers.empty()) second = CpuGroup{2, path};
    while (!controllers.empty()) {
      const std::string_view one = controllers.substr(0, controllers.find(','));
      controllers.remove_prefix(std::min(controllers.size(), one.size() + 1));
      if (one == "cpu") return CpuGroup{1, path};
    }
  }
  return second;
}

std::optional<std::uint64_t> parse_process_ticks(std::string_view stat) {
  // pid (name) state ppid … : utime is the 12th, stime the 13th behind the name.
  constexpr int kBeforeUserTime = 11;
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::string_view rest = stat.substr(name_end + 1);
  for (int i = 0; i < kBeforeUserTime; ++i) {
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
    rest.remove_prefix(std::min(rest.size(), rest.find(' ')));
  }
  const auto user = next_number(rest);
  const auto system = next_number(rest);
  return user && system ? std::optional(*user + *system) : std::nullopt;
}

}  // namespace volley
