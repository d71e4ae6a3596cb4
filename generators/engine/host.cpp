// Facts of this machine, read from /proc and /sys. One idea: what cannot be read is left out, never
// guessed, because a report is compared with reports of other machines.
#include "generators/engine/host.hpp"
#include "targets/wire/tuning.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <set>
#include <string_view>

namespace volley {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kSpace = " \t\r\n\v\f";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void add(Facts& facts, std::string key, std::optional<std::string> value) {
  if (value && !value->empty()) facts.emplace_back(std::move(key), std::move(*value));
}

std::optional<std::string> kernel() {
  utsname name{};
  if (uname(&name) != 0) return std::nullopt;
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

// The value of the first line `key : value` of /proc/cpuinfo.
std::optional<std::string> cpuinfo(std::string_view key) {
  const auto text = read_fact("/proc/cpuinfo");
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || trim(line.substr(0, colon)) != key) continue;
    return std::string(trim(line.substr(colon + 1)));
  }
  return std::nullopt;
}

std::optional<std::string> port_range() {
  auto text = read_fact("/proc/sys/net/ipv4/ip_local_port_range");
  if (!text) return std::nullopt;
  const auto first = text->find_first_of(kSpace);
  const auto last = text->find_last_of(kSpace);
  if (first == std::string::npos) return std::nullopt;
  return text->substr(0, first) + "-" + text->substr(last + 1);
}

std::string limit_text(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit);
}

// The governors of the CPUs this process may run on; usually one word.
std::optional<std::string> governor() {
  std::set<std::string> words;
  for (const unsigned cpu : allowed_cpus()) {
    const auto word =
        read_fact(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu));
    if (word) words.insert(*word);
  }
  if (words.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(words, ","));
}

// Named by the firmware where it tells; else only the CPU's flag says that there is one.
std::optional<std::string> hypervisor() {
  if (auto type = read_fact("/sys/hypervisor/type"); type && !type->empty()) return type;
  const auto flags = cpuinfo("flags");
  if (!flags || (" " + *flags + " ").find(" hypervisor ") == std::string::npos) return std::nullopt;
  const auto vendor = read_fact("/sys/class/dmi/id/sys_vendor");
  const auto product = read_fact("/sys/class/dmi/id/product_name");
  const std::string named(
      trim(fmt::format("{} {}", vendor.value_or(std::string()), product.value_or(std::string()))));
  return named.empty() ? "yes" : named;
}

std::optional<std::string> load_1m() {
  const auto text = read_fact("/proc/loadavg");
  if (!text) return std::nullopt;
  return text->substr(0, text->find(' '));
}

// The share of CPU time that the hypervisor gave to others, since this machine started.
std::optional<std::string> steal_ratio() {
  const auto times = cpu_times();
  if (!times || times->total == 0) return std::nullopt;
  return fmt::format("{:.4g}",
                     static_cast<double>(times->steal) / static_cast<double>(times->total));
}

// How this program was built: a debug build or a sanitizer costs several times the CPU.
std::string build() {
#if defined(__clang__)
  std::string text = fmt::format("clang {}.{}", __clang_major__, __clang_minor__);
#else
  std::string text = fmt::format("gcc {}.{}", __GNUC__, __GNUC_MINOR__);
#endif
#if defined(__OPTIMIZE__)
  text += " optimized";
#else
  text += " unoptimized";
#endif
#if defined(__SANITIZE_ADDRESS__)
  text += " address-sanitizer";
#elif defined(__SANITIZE_THREAD__)
  text += " thread-sanitizer";
#endif
  return text;
}

}  // namespace

std::string cpu_list(std::span<const unsigned> cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[last]);
    i = last + 1;
  }
  return text;
}

std::optional<std::string> read_fact(const std::string& path) {
  constexpr std::size_t kMost = 65'536;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMost, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return std::string(trim(text));
}

std::optional<CpuTimes> cpu_times() {
  const auto text = read_fact("/proc/stat");
  if (!text || !text->starts_with("cpu ")) return std::nullopt;
  return parse_cpu_times(std::string_view(*text).substr(0, text->find('\n')));
}

std::optional<CpuTimes> parse_cpu_times(std::string_view line) {
  // user nice system idle iowait irq softirq steal; guest times behind them are in user already.
  constexpr std::size_t kColumns = 8;
  constexpr std::size_t kSystem = 2;
  constexpr std::size_t kSteal = 7;
  CpuTimes times;
  line.remove_prefix(std::min(line.size(), line.find(' ')));
  for (std::size_t column = 0; column < kColumns; ++column) {
    line = trim(line);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc()) return std::nullopt;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    times.total += value;
    if (column <= kSystem) times.used += value;
    if (column == kSteal) times.steal = value;
  }
  return times;
}

std::vector<std::pair<std::string, std::string>> host_facts() {
  Facts facts;
  add(facts, "kernel", kernel());
  add(facts, "cpu_model", cpuinfo("model name"));
  add(facts, "cpus_online", read_fact("/sys/devices/system/cpu/online"));
  add(facts, "cpus_allowed", cpu_list(allowed_cpus()));
  add(facts, "clock_source",
      read_fact("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
  add(facts, "tcp_congestion", read_fact("/proc/sys/net/ipv4/tcp_congestion_control"));
  add(facts, "default_qdisc", read_fact("/proc/sys/net/core/default_qdisc"));
  add(facts, "rmem_max_bytes", read_fact("/proc/sys/net/core/rmem_max"));
  add(facts, "wmem_max_bytes", read_fact("/proc/sys/net/core/wmem_max"));
  add(facts, "port_range", port_range());
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    add(facts, "descriptors_soft", limit_text(files.rlim_cur));
    add(facts, "descriptors_hard", limit_text(files.rlim_max));
  }
  add(facts, "governor", governor());
  add(facts, "hypervisor", hypervisor());
  add(facts, "load_1m", load_1m());
  add(facts, "steal_ratio", steal_ratio());
  add(facts, "build", build());
  return facts;
}

}  // namespace volley
