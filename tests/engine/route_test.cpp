// Which way packets go is read from netlink messages, which are believed only as far as they can be
// understood.
#include "generators/engine/route.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <array>
#include <random>
#include <string_view>

#include "tests/engine/netlink_bytes.hpp"

namespace volley {
namespace {

using namespace netlink_bytes;

Bytes number(std::uint32_t value) {
  Bytes bytes;
  put(bytes, value);
  return bytes;
}

Bytes text(std::string_view letters) {
  Bytes bytes;
  for (const char c : letters) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

Bytes route(const Bytes& attributes) {
  Bytes body;
  put(body, rtmsg{});
  return message(RTM_NEWROUTE, body + attributes);
}

Bytes qdisc(int device, std::uint32_t parent, const Bytes& attributes) {
  tcmsg about{};
  about.tcm_ifindex = device;
  about.tcm_parent = parent;
  Bytes body;
  put(body, about);
  return message(RTM_NEWQDISC, body + attributes);
}

Bytes root(int device, std::string_view kind) {
  return qdisc(device, TC_H_ROOT, attribute(TCA_KIND, text(kind)));
}

const Bytes kDone = message(NLMSG_DONE, number(0));

TEST(Route, its_interface_is_among_the_attributes) {
  const Bytes table = attribute(RTA_TABLE, number(254));
  EXPECT_EQ(parse_route_device(route(table + attribute(RTA_OIF, number(7)))), 7U);
  EXPECT_EQ(parse_route_device(message(NLMSG_NOOP, {}) + route(attribute(RTA_OIF, number(7)))), 7U);
  EXPECT_EQ(parse_route_device(route(table)), std::nullopt);
  EXPECT_EQ(parse_route_device(route(attribute(RTA_OIF, number(0)))), std::nullopt);
  EXPECT_EQ(parse_route_device(route(attribute(RTA_OIF, Bytes(3)))), std::nullopt);
  EXPECT_EQ(parse_route_device(message(RTM_NEWROUTE, Bytes(4))), std::nullopt);
  EXPECT_EQ(parse_route_device(message(NLMSG_ERROR, Bytes(20))), std::nullopt) << "unreachable";
  EXPECT_EQ(parse_route_device({}), std::nullopt);
}

TEST(Route, the_root_of_its_interface_is_found_among_all_qdiscs) {
  using namespace std::string_view_literals;
  const Bytes others = root(1, "noqueue\0"sv) +
                       qdisc(2, 0x10001, attribute(TCA_KIND, text("pfifo\0"sv))) +
                       qdisc(2, TC_H_INGRESS, attribute(TCA_KIND, text("ingress\0"sv)));
  auto found = parse_root_qdisc(others, 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, std::nullopt);
  EXPECT_FALSE(found->done);
  found = parse_root_qdisc(others + kDone, 2);
  EXPECT_TRUE(found && found->done && !found->kind);
  found = parse_root_qdisc(others + root(2, "tbf\0"sv) + kDone, 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, "tbf");
  EXPECT_EQ(parse_root_qdisc(others, 1)->kind, "noqueue");
  EXPECT_FALSE(parse_root_qdisc(message(NLMSG_ERROR, Bytes(20)), 1));
}

TEST(Route, a_kind_that_is_no_name_is_none) {
  EXPECT_EQ(parse_root_qdisc(root(1, "fq"), 1)->kind, "fq") << "without the zero";
  EXPECT_EQ(parse_root_qdisc(root(1, ""), 1)->kind, std::nullopt);
  EXPECT_EQ(parse_root_qdisc(root(1, std::string_view("\0x", 2)), 1)->kind, std::nullopt);
  EXPECT_EQ(parse_root_qdisc(root(1, "sixteen letters!"), 1)->kind, std::nullopt);
  EXPECT_EQ(parse_root_qdisc(qdisc(1, TC_H_ROOT, {}), 1)->kind, std::nullopt);
}

TEST(Route, answers_that_are_cut_or_damaged_are_survived) {
  const Bytes way = route(attribute(RTA_TABLE, number(254)) + attribute(RTA_OIF, number(7)));
  const Bytes queue = root(1, "noqueue") + root(7, "fq_codel");
  for (std::size_t size = 0; size < way.size(); ++size)
    // In memory of its own, so that a byte read too far is found.
    EXPECT_FALSE(parse_route_device(Bytes(way.data(), way.data() + size))) << size;
  for (std::size_t size = 0; size < queue.size(); ++size) {
    const auto found = parse_root_qdisc(Bytes(queue.data(), queue.data() + size), 7);
    EXPECT_FALSE(found && found->kind) << size;
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = way + queue;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    (void)parse_route_device(bytes);
    (void)parse_root_qdisc(bytes, 7);
  }
}

TEST(Route, of_attributes_whose_length_is_wrong_nothing_is_believed) {
  // None, less than its head, and more than there is.
  for (const unsigned short length : std::array<unsigned short, 4>{0, 3, 24, 0xFFFF}) {
    Bytes damaged;
    put(damaged, rtattr{length, RTA_TABLE});
    damaged = damaged + number(254) + attribute(RTA_OIF, number(7));
    EXPECT_EQ(parse_route_device(route(damaged)), std::nullopt) << length;
  }
}

TEST(Route, to_loopback_goes_through_lo) {
  const Address loopback = Address::v4(INADDR_LOOPBACK, 1);
  const Route route = route_to(loopback, std::nullopt);
  EXPECT_EQ(route.device, "lo");
  EXPECT_EQ(route_to(loopback, Address::v4(0x7F000002, 0)).device, "lo");
  EXPECT_TRUE(route.qdisc);
  EXPECT_EQ(route_to(Address::v6(in6addr_loopback, 1), std::nullopt).device, "lo");
}

}  // namespace
}  // namespace volley
