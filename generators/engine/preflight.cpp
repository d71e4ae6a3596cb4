#include "generators/engine/preflight.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "generators/engine/host.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

struct PortRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included
};

std::optional<std::uint32_t> port_in(std::string_view text) {
  std::uint32_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size() || port > 65'535)
    return std::nullopt;
  return port;
}

// Two ports with one of `separators` or several between them.
std::optional<PortRange> range_in(std::string_view text, std::string_view separators) {
  const auto end = text.find_first_of(separators);
  const auto next = text.find_last_of(separators);
  const auto first = port_in(text.substr(0, end));
  const auto last = end == std::string_view::npos ? first : port_in(text.substr(next + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

// Standard streams, report files, signals and names come and go while the run does.
constexpr std::uint64_t kSpareDescriptors = 16;

std::optional<RunError> descriptor_refusal(const SocketNeed& need, const SocketRoom& room) {
  if (!room.descriptors) return std::nullopt;
  const std::uint64_t besides = std::max(room.descriptors_open, kSpareDescriptors);
  const std::uint64_t needed = need.flows + 2 * need.threads + besides;
  if (needed <= *room.descriptors) return std::nullopt;
  const std::uint64_t own = needed - need.flows;
  const std::uint64_t most = *room.descriptors > own ? *room.descriptors - own : 0;
  return RunError(
      "too_many_files", "setup",
      fmt::format("--flows {}: more descriptors than this process may open ({} needed) [{} "
                  "available, the hard limit]; use at most {} flows, or raise the limit with: "
                  "ulimit -n {}",
                  need.flows, needed, *room.descriptors, most, needed));
}

std::optional<RunError> port_refusal(const SocketNeed& need, const SocketRoom& room) {
  if (!room.ports_per_source) return std::nullopt;
  const std::uint64_t sources = std::max<std::uint64_t>(need.sources, 1);
  const std::uint64_t available = *room.ports_per_source * sources;
  if (need.flows <= available) return std::nullopt;
  const std::uint64_t ports = std::max<std::uint64_t>(*room.ports_per_source, 1);
  return RunError(
      "no_ports", "setup",
      fmt::format("--flows {}: more local ports than there are to one destination ({} needed) [{} "
                  "available: {} of net.ipv4.ip_local_port_range for each of {} source "
                  "address{}]; use {} source addresses or more with --source ADDR/BITS (on "
                  "loopback: --source 127.0.0.0/16), or widen the range with: sysctl -w "
                  "net.ipv4.ip_local_port_range='1024 65535'",
                  need.flows, need.flows, available, *room.ports_per_source, sources,
                  sources == 1 ? "" : "es", (need.flows + ports - 1) / ports));
}

}  // namespace

SocketNeed socket_need(const RunPlan& plan) { return {plan.flows, plan.threads, 1}; }

SocketRoom socket_room() {
  SocketRoom room;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      room.descriptors = limit.rlim_cur;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error))
    ++room.descriptors_open;
  room.ports_per_source = local_ports();
  return room;
}

std::optional<RunError> refusal(const SocketNeed& need, const SocketRoom& room) {
  if (auto error = descriptor_refusal(need, room)) return error;
  return port_refusal(need, room);
}

std::optional<std::uint64_t> count_ports(std::string_view range, std::string_view reserved) {
  const auto all = range_in(range, " \t");
  if (!all) return std::nullopt;
  std::uint64_t count = all->last - all->first + 1;
  while (!reserved.empty()) {
    const std::string_view part = reserved.substr(0, reserved.find(','));
    reserved.remove_prefix(std::min(reserved.size(), part.size() + 1));
    const auto taken = range_in(part, "-");
    if (!taken) return std::nullopt;
    const std::uint32_t first = std::max(all->first, taken->first);
    const std::uint32_t last = std::min(all->last, taken->last);
    if (first <= last) count -= last - first + 1;
  }
  return count;
}

std::optional<std::uint64_t> local_ports() {
  const auto range = read_fact("/proc/sys/net/ipv4/ip_local_port_range");
  if (!range) return std::nullopt;
  return count_ports(*range, read_fact("/proc/sys/net/ipv4/ip_local_reserved_ports").value_or(""));
}

}  // namespace volley
