// The eyes of volley doctor: limits from the kernel, offloads by trying them on a pair of sockets.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <thread>

#include "generators/engine/doctor.hpp"
#include "generators/engine/host.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

std::optional<std::uint64_t> number_in(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_at(const std::string& path) {
  return number_in(read_fact(path));
}

std::uint64_t limit_of(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max() : limit;
}

std::optional<std::string> fact(const std::vector<std::pair<std::string, std::string>>& facts,
                                std::string_view key) {
  for (const auto& [name, value] : facts) {
    if (name == key) return value;
  }
  return std::nullopt;
}

// "0-3,8" -> 5.
std::optional<unsigned> count_of_list(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  unsigned count = 0;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const auto dash = part.find('-');
    const auto first = number_in(std::string(part.substr(0, dash)));
    const auto last =
        dash == std::string_view::npos ? first : number_in(std::string(part.substr(dash + 1)));
    if (!first || !last || *last < *first || *last > 1'000'000) return std::nullopt;
    count += static_cast<unsigned>(*last - *first + 1);
  }
  return count;
}

void read_ports(const std::optional<std::string>& range, MachineFacts& facts) {
  if (!range) return;
  const auto dash = range->find('-');
  if (dash == std::string::npos) return;
  facts.first_port = number_in(range->substr(0, dash));
  facts.last_port = number_in(range->substr(dash + 1));
}

// A receiver bound to loopback and a sender connected to it.
struct SocketPair {
  Descriptor receiver, sender;

  [[nodiscard]] static std::optional<SocketPair> open() {
    SocketPair pair;
    constexpr std::uint32_t kLoopback = 0x7F000001;
    if (open_listener(Protocol::udp, Address::v4(kLoopback, 0), {}, pair.receiver) != 0 ||
        open_socket(Protocol::udp, AF_INET, pair.sender) != 0 ||
        start_connect(pair.sender, local_address(pair.receiver)) != 0) {
      return std::nullopt;
    }
    return pair;
  }
};

constexpr int kSegment = 16;
constexpr int kSegments = 4;

// Sends several datagrams with one call; the size of what the receiver gets first, or none.
std::optional<ssize_t> first_of_segments(const SocketPair& pair) {
  const int segment = kSegment;
  if (setsockopt(pair.sender.get(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) {
    return std::nullopt;
  }
  constexpr std::size_t kBytes = std::size_t{kSegment} * kSegments;
  std::array<char, kBytes> data{};
  if (send(pair.sender.get(), data.data(), data.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  pollfd wait{.fd = pair.receiver.get(), .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, 1000) != 1) return std::nullopt;
  std::array<char, 2 * kBytes> buffer{};
  const ssize_t n = recv(pair.receiver.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0) return std::nullopt;
  return n;
}

std::optional<bool> gso_works() {
  const auto pair = SocketPair::open();
  if (!pair) return std::nullopt;
  return first_of_segments(*pair) == kSegment;
}

// On loopback a batch of segments reaches a receiver that asked for it undivided.
std::optional<bool> gro_works() {
  const auto pair = SocketPair::open();
  if (!pair) return std::nullopt;
  const int on = 1;
  if (setsockopt(pair->receiver.get(), SOL_UDP, UDP_GRO, &on, sizeof on) != 0) return false;
  return first_of_segments(*pair) == kSegment * kSegments;
}

bool ipv6_loopback_works() {
  Descriptor socket;
  return open_listener(Protocol::udp, Address::v6(in6addr_loopback, 0), {}, socket) == 0;
}

std::optional<double> steal_during(Nanos sample) {
  const auto before = cpu_times();
  std::this_thread::sleep_for(sample);
  const auto after = cpu_times();
  if (!before || !after || after->total <= before->total) return std::nullopt;
  return static_cast<double>(after->steal - before->steal) /
         static_cast<double>(after->total - before->total);
}

}  // namespace

MachineFacts examine_machine(Nanos sample) {
  const auto host = host_facts();
  MachineFacts facts;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    facts.descriptors_soft = limit_of(files.rlim_cur);
    facts.descriptors_hard = limit_of(files.rlim_max);
  }
  read_ports(fact(host, "port_range"), facts);
  facts.rmem_max_bytes = number_in(fact(host, "rmem_max_bytes"));
  facts.wmem_max_bytes = number_in(fact(host, "wmem_max_bytes"));
  facts.somaxconn = number_at("/proc/sys/net/core/somaxconn");
  facts.cpus_online = count_of_list(fact(host, "cpus_online"));
  facts.cpus_allowed = static_cast<unsigned>(allowed_cpus().size());
  facts.clock_source = fact(host, "clock_source");
  facts.tcp_congestion = fact(host, "tcp_congestion");
  facts.udp_gso = gso_works();
  facts.udp_gro = gro_works();
  facts.steal_ratio = steal_during(sample);
  facts.governor = fact(host, "governor");
  facts.hypervisor = fact(host, "hypervisor");
  if (const auto load = fact(host, "load_1m")) {
    double value = 0;
    const auto [stop, error] = std::from_chars(load->data(), load->data() + load->size(), value);
    if (error == std::errc()) facts.load_1m = value;
  }
  facts.ipv6_loopback = ipv6_loopback_works();
  facts.build = fact(host, "build");
  return facts;
}

}  // namespace volley
