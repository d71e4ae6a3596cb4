// What the kernel says it has dropped is read from texts and netlink messages, which are believed
// only as far as they can be understood.
#include "generators/engine/host_drops.hpp"

#include <gtest/gtest.h>
#include <linux/gen_stats.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <random>
#include <string>
#include <vector>

#include "tests/engine/netlink_bytes.hpp"

namespace volley {
namespace {

using namespace netlink_bytes;

Bytes qdisc(std::uint32_t parent, std::uint32_t drops) {
  gnet_stats_queue queue{};
  queue.drops = drops;
  Bytes counted;
  put(counted, queue);
  tcmsg about{};
  about.tcm_parent = parent;
  Bytes payload;
  put(payload, about);
  const Bytes kind = attribute(TCA_KIND, Bytes(4, std::byte{'x'}));
  const Bytes statistics = attribute(TCA_STATS2, attribute(TCA_STATS_QUEUE, counted));
  payload.insert(payload.end(), kind.begin(), kind.end());
  payload.insert(payload.end(), statistics.begin(), statistics.end());
  return message(RTM_NEWQDISC, payload);
}

TEST(HostDrops, a_group_of_snmp_has_a_line_of_names_and_one_of_values) {
  const std::string text = "Ip: A B\nIp: 1 2\nUdp: InDatagrams NoPorts\nUdp: 10 7\n";
  EXPECT_EQ(parse_snmp(text, "Udp:", "NoPorts"), 7U);
  EXPECT_EQ(parse_snmp(text, "Ip:", "A"), 1U);
  EXPECT_EQ(parse_snmp(text, "Udp:", "A"), std::nullopt);
  EXPECT_EQ(parse_snmp(text, "Tcp:", "A"), std::nullopt);
  EXPECT_EQ(parse_snmp("Udp: NoPorts\n", "Udp:", "NoPorts"), std::nullopt);
  EXPECT_EQ(parse_snmp("Udp: NoPorts\nUdp: -1\n", "Udp:", "NoPorts"), std::nullopt);
  EXPECT_EQ(parse_snmp("Udp: A NoPorts\nUdp: 1\n", "Udp:", "NoPorts"), std::nullopt);
  EXPECT_EQ(parse_snmp6("Ip6A 1\nUdp6NoPorts     \t 9\n", "Udp6NoPorts"), 9U);
  EXPECT_EQ(parse_snmp6("", "Udp6NoPorts"), std::nullopt);
}

TEST(HostDrops, the_backlogs_of_all_cpus_are_added_up) {
  EXPECT_EQ(parse_softnet_drops("00000100 0000000a 00000000\n00000200 00000001 00000003\n"), 11U);
  EXPECT_EQ(parse_softnet_drops(""), std::nullopt);
  EXPECT_EQ(parse_softnet_drops("00000100\n"), std::nullopt);
  EXPECT_EQ(parse_softnet_drops("00000100 xyz\n"), std::nullopt);
}

TEST(HostDrops, the_drops_of_all_interfaces_are_added_up) {
  const std::string head = "Inter-| Receive | Transmit\n face |bytes packets\n";
  EXPECT_EQ(parse_device_drops(head + "  lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                                      "a:0: 1 2 3 40 5 6 7 8 9 10 11 120 13 14 15 16\n"),
            (DeviceDrops{44, 132}));
  EXPECT_EQ(parse_device_drops(head), std::nullopt);
  EXPECT_EQ(parse_device_drops(head + "lo 1 2 3 4 5 6 7 8 9 10 11 12"), std::nullopt);
  EXPECT_EQ(parse_device_drops(head + "lo: 1 2 3 4 5 6 7 8 9 10 11"), std::nullopt);
}

TEST(HostDrops, of_qdiscs_only_roots_count) {
  const Bytes two = qdisc(TC_H_ROOT, 5) + qdisc(0x10001, 3) + qdisc(TC_H_ROOT, 7);
  auto found = parse_qdiscs(two);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->drops, 12U);
  EXPECT_FALSE(found->done);
  found = parse_qdiscs(two + message(NLMSG_DONE, {}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->drops, 12U);
  EXPECT_TRUE(found->done);
  EXPECT_FALSE(parse_qdiscs(message(NLMSG_ERROR, Bytes(4))));
}

TEST(HostDrops, netlink_messages_that_are_cut_or_damaged_are_survived) {
  const Bytes whole = qdisc(TC_H_ROOT, 5) + message(NLMSG_DONE, {});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // In memory of its own, so that a byte read too far is found.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto found = parse_qdiscs(cut);
    EXPECT_FALSE(found && found->done) << size;
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = whole;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    (void)parse_qdiscs(bytes);
  }
}

TEST(HostDrops, a_counter_that_ran_backwards_or_is_missing_is_not_known) {
  const HostCounts earlier{.qdisc = 5, .sent = 1, .received = 3, .softnet = 10, .no_ports = {}};
  const HostCounts later{.qdisc = 7, .sent = 0, .received = 5, .softnet = 11, .no_ports = 4};
  const HostDrops drops = since(earlier, later);
  EXPECT_EQ(drops.qdisc, 2U);
  EXPECT_EQ(drops.device, std::nullopt);
  EXPECT_EQ(drops.backlog, 2U) << "an interface counts its CPU's backlog too";
  EXPECT_EQ(drops.no_ports, std::nullopt);
}

TEST(HostDrops, this_host_can_be_read) {
  const HostCounts counts = read_host_counts();
  EXPECT_TRUE(counts.qdisc);
  EXPECT_TRUE(counts.sent);
  EXPECT_TRUE(counts.no_ports);
}

}  // namespace
}  // namespace volley
