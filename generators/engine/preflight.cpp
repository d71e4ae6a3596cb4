#include "generators/engine/preflight.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "generators/engine/host.hpp"
#include "reports/measure/units.hpp"
#include "targets/wire/socket.hpp"

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

std::optional<RunError> congestion_refusal(const RunPlan& plan) {
  Descriptor socket;
  SocketOptions only;
  only.congestion = plan.socket.congestion;
  if (open_socket(Protocol::tcp, AF_INET, socket) != 0) return std::nullopt;
  const int error = apply(only, Protocol::tcp, socket);
  if (error == 0) return std::nullopt;
  const auto known = read_fact("/proc/sys/net/ipv4/tcp_available_congestion_control");
  const bool forbidden = error == EPERM || error == EACCES;
  return RunError(
      "congestion", "setup",
      fmt::format("--congestion {}: {} [{}]; {}", plan.socket.congestion,
                  forbidden ? "only root may choose this congestion control"
                            : "this kernel has no such congestion control",
                  known.value_or("see net.ipv4.tcp_available_congestion_control"),
                  forbidden ? "choose one of net.ipv4.tcp_allowed_congestion_control"
                            : fmt::format("choose one of these, or load it: modprobe tcp_{}",
                                          plan.socket.congestion)));
}

std::optional<RunError> source_refusal(const RunPlan& plan) {
  // One socket after the other address: a prefix may be part of the machine's only.
  constexpr std::uint64_t kMostTried = 65'536;
  const SourceRange& source = *plan.source;
  const bool churns = plan.workload == Workload::crr || plan.workload == Workload::connect;
  const std::uint64_t used =
      churns ? source.count() : std::min<std::uint64_t>(source.count(), plan.flows);
  Descriptor socket;
  if (open_socket(Protocol::tcp, source.family(), socket) != 0) return std::nullopt;
  for (std::uint64_t i = 0; i < std::min(used, kMostTried); ++i) {
    const Address address = source.at(i);
    const int error = i == 0 ? bind_source(socket, address) : change_source(socket, address);
    if (error == 0) continue;
    const std::string lo = fmt::format("ip route add local {} dev lo", source.text());
    return RunError(
        "source", "setup",
        fmt::format("--source {}: {} cannot be a local address ({}); `ip address` lists "
                    "those of this machine, all of 127.0.0.0/8 are, and `{}` adds them",
                    source.text(), address.ip(), error_text(error), lo));
  }
  return std::nullopt;
}

// Sockets in TIME_WAIT: "TCP: inuse 5 orphan 0 tw 12 alloc 7 mem 1" of /proc/net/sockstat.
std::optional<std::uint64_t> time_wait_sockets() {
  const auto text = read_fact("/proc/net/sockstat");
  const auto line = text ? text->find("TCP:") : std::string::npos;
  const auto at = line == std::string::npos ? line : text->find(" tw ", line);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t count = 0;
  const char* begin = text->data() + at + 4;
  if (std::from_chars(begin, text->data() + text->size(), count).ec != std::errc())
    return std::nullopt;
  return count;
}

}  // namespace

SocketNeed socket_need(const RunPlan& plan) {
  return {plan.flows, plan.threads, plan.source ? plan.source->count() : 1};
}

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

std::optional<RunError> option_refusal(const RunPlan& plan) {
  if (!plan.socket.congestion.empty())
    if (auto error = congestion_refusal(plan)) return error;
  return plan.source ? source_refusal(plan) : std::nullopt;
}

std::string port_warning(const RunPlan& plan, std::uint64_t unsent) {
  const std::uint64_t sources = plan.source ? plan.source->count() : 1;
  const auto number = [](std::optional<std::uint64_t> n) {
    return n ? format_count(*n) : std::string("an unknown number of");
  };
  const bool fin = plan.protocol == Protocol::tcp && plan.close == Close::fin;
  return fmt::format(
      "the generator ran out of local ports: {} requests could not be sent (no_ports); "
      "net.ipv4.ip_local_port_range leaves {} to each of {} source address{}, and {} sockets of "
      "this machine are in TIME_WAIT; use {}more addresses with --source ADDR/BITS (on loopback "
      "--source 127.0.0.0/16), or widen the range with: sysctl -w "
      "net.ipv4.ip_local_port_range='1024 65535'",
      format_count(unsent), number(local_ports()), format_count(sources), sources == 1 ? "" : "es",
      number(time_wait_sockets()), fin ? "--close rst, " : "");
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
