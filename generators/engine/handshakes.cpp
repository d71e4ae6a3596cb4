#include "generators/engine/handshakes.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

#include "generators/engine/host.hpp"
#include "reports/measure/syn_retries.hpp"
#include "targets/wire/socket.hpp"

namespace volley {
namespace {

using Count = std::optional<std::uint64_t>;

// Takes what stands before the next `end`, or all of it.
std::string_view take(std::string_view& rest, char end) {
  const std::string_view part = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

Count count_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Count difference(Count earlier, Count later) {
  if (!earlier || !later || *later < *earlier) return std::nullopt;
  return *later - *earlier;
}

// How often the kernel waits 1 s before it waits longer; kernels that have no word for it double
// each time.
std::uint64_t linear_timeouts() {
  const auto text = read_fact("/proc/sys/net/ipv4/tcp_syn_linear_timeouts");
  return text ? count_of(*text).value_or(0) : 0;
}

std::optional<double> number(Count count) {
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

}  // namespace

TcpNetstat parse_netstat(std::string_view text) {
  constexpr std::string_view kGroup = "TcpExt:";
  TcpNetstat found;
  while (!text.empty()) {
    std::string_view names = take(text, '\n');
    if (take(names, ' ') != kGroup) continue;
    std::string_view values = take(text, '\n');
    if (take(values, ' ') != kGroup) return {};
    while (!names.empty() && !values.empty()) {
      const std::string_view name = take(names, ' ');
      const Count value = count_of(take(values, ' '));
      if (name == "ListenOverflows") found.listen_overflows = value;
      if (name == "ListenDrops") found.listen_drops = value;
      if (name == "TCPSynRetrans") found.syn_retransmits = value;
    }
    return found;
  }
  return found;
}

TcpNetstat read_netstat() {
  const auto text = read_fact("/proc/net/netstat");
  return text ? parse_netstat(*text) : TcpNetstat{};
}

TcpNetstat since(const TcpNetstat& earlier, const TcpNetstat& later) {
  return {difference(earlier.listen_overflows, later.listen_overflows),
          difference(earlier.listen_drops, later.listen_drops),
          difference(earlier.syn_retransmits, later.syn_retransmits)};
}

bool is_here(const Address& address) {
  if (address.is_loopback()) return true;
  // The kernel lets a socket have the addresses of this namespace only.
  Descriptor socket;
  if (open_socket(Protocol::udp, address.family(), socket) != 0) return false;
  Address any_port = address;
  any_port.set_port(0);
  return ::bind(socket.get(), any_port.data(), any_port.size()) == 0;
}

void add_handshakes(RunRecord& record, const Address& peer, const TcpNetstat& before) {
  TcpNetstat during = since(before, read_netstat());
  if (!is_here(peer)) {
    during.listen_overflows.reset();
    during.listen_drops.reset();
  }
  std::optional<std::array<std::uint64_t, kSynRetries>> retries;
  if (!record.latencies.connect.empty()) {
    retries = count_syn_retries(record.latencies.connect, linear_timeouts());
    // Whatever they waited for, it was no SYN.
    if (during.syn_retransmits == 0) retries->fill(0);
  }
  auto& figures = record.protocol_figures;
  for (std::size_t i = 0; i < kSynRetries; ++i)
    figures.emplace_back("connect_syn_retries_" + std::to_string(i + 1),
                         retries ? number((*retries)[i]) : std::nullopt);
  figures.emplace_back("syn_retransmits", number(during.syn_retransmits));
  figures.emplace_back("listen_overflows", number(during.listen_overflows));
  figures.emplace_back("listen_drops", number(during.listen_drops));
}

}  // namespace volley
