#include "generators/engine/host_drops.hpp"

#include <linux/gen_stats.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "generators/engine/host.hpp"
#include "generators/engine/netlink.hpp"

namespace volley {
namespace {

using Count = std::optional<std::uint64_t>;

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

// The next word of a line; empty: there is none.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

Count number_in(std::string_view digits, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Count difference(const Count& earlier, const Count& later) {
  if (!earlier || !later || *later < *earlier) return std::nullopt;
  return *later - *earlier;
}

// One RTM_NEWQDISC without its netlink header.
std::uint64_t drops_of_qdisc(std::span<const std::byte> message) {
  const auto about = value_at<tcmsg>(message);
  if (!about || about->tcm_parent != TC_H_ROOT) return 0;
  const auto statistics = find_attribute(behind(message, sizeof(tcmsg)), TCA_STATS2);
  const auto queue = statistics ? find_attribute(*statistics, TCA_STATS_QUEUE) : std::nullopt;
  const auto counted = queue ? value_at<gnet_stats_queue>(*queue) : std::nullopt;
  return counted ? counted->drops : 0;
}

Count read_qdisc_drops() {
  const Descriptor asked = ask_for_qdiscs();
  if (!asked.is_open()) return std::nullopt;
  std::uint64_t drops = 0;
  for (int i = 0; i < kMostQdiscAnswers; ++i) {
    const std::vector<std::byte> answer = next_answer(asked);
    const auto found = answer.empty() ? std::nullopt : parse_qdiscs(answer);
    if (!found) return std::nullopt;
    drops += found->drops;
    if (found->done) return drops;
  }
  return std::nullopt;
}

}  // namespace

Count parse_snmp(std::string_view text, std::string_view group, std::string_view name) {
  while (!text.empty()) {
    std::string_view names = take_line(text);
    if (take_word(names) != group) continue;
    std::string_view values = take_line(text);
    if (take_word(values) != group) return std::nullopt;
    for (std::string_view word; !(word = take_word(names)).empty();) {
      const std::string_view value = take_word(values);
      if (word == name) return number_in(value);
    }
    return std::nullopt;
  }
  return std::nullopt;
}

Count parse_snmp6(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == name) return number_in(take_word(line));
  }
  return std::nullopt;
}

Count parse_softnet_drops(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t drops = 0;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    (void)take_word(line);  // packets that were processed
    const Count dropped = number_in(take_word(line), 16);
    if (!dropped) return std::nullopt;
    drops += *dropped;
  }
  return drops;
}

std::optional<DeviceDrops> parse_device_drops(std::string_view text) {
  constexpr std::size_t kReceived = 3;  // of the figures behind the colon
  constexpr std::size_t kSent = 11;
  (void)take_line(text);
  (void)take_line(text);
  if (text.empty()) return std::nullopt;
  DeviceDrops drops;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    line.remove_prefix(colon + 1);
    std::array<Count, kSent + 1> figures;
    for (Count& figure : figures) figure = number_in(take_word(line));
    if (!figures[kReceived] || !figures[kSent]) return std::nullopt;
    drops.received += *figures[kReceived];
    drops.sent += *figures[kSent];
  }
  return drops;
}

std::optional<QdiscDrops> parse_qdiscs(std::span<const std::byte> bytes) {
  QdiscDrops found;
  while (!bytes.empty()) {
    const auto message = take_message(bytes);
    if (!message || message->type == NLMSG_ERROR) return std::nullopt;
    if (message->type == NLMSG_DONE) {
      found.done = true;
      return found;
    }
    if (message->type == RTM_NEWQDISC) found.drops += drops_of_qdisc(message->body);
  }
  return found;
}

HostCounts read_host_counts() {
  HostCounts counts;
  counts.qdisc = read_qdisc_drops();
  const auto snmp = read_fact("/proc/net/snmp");
  const auto snmp6 = read_fact("/proc/net/snmp6");
  // Where the queues do not say, the kernel still counts the sends that failed below the socket.
  if (!counts.qdisc && snmp) counts.qdisc = parse_snmp(*snmp, "Udp:", "SndbufErrors");
  if (snmp) counts.no_ports = parse_snmp(*snmp, "Udp:", "NoPorts");
  if (counts.no_ports && snmp6) *counts.no_ports += parse_snmp6(*snmp6, "Udp6NoPorts").value_or(0);
  const auto devices = read_fact("/proc/net/dev");
  if (const auto drops = devices ? parse_device_drops(*devices) : std::nullopt) {
    counts.sent = drops->sent;
    counts.received = drops->received;
  }
  if (const auto softnet = read_fact("/proc/net/softnet_stat"))
    counts.softnet = parse_softnet_drops(*softnet);
  return counts;
}

HostDrops since(const HostCounts& earlier, const HostCounts& later) {
  const Count softnet = difference(earlier.softnet, later.softnet);
  const Count received = difference(earlier.received, later.received);
  HostDrops drops{.qdisc = difference(earlier.qdisc, later.qdisc),
                  .device = difference(earlier.sent, later.sent),
                  .backlog = softnet,
                  .no_ports = difference(earlier.no_ports, later.no_ports)};
  if (received) drops.backlog = std::max(softnet.value_or(0), *received);
  return drops;
}

}  // namespace volley
