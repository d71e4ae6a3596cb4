// What a target is told beside a datagram: as little as its answers allow.
#include "targets/serve/datagram_needs.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace volley {
namespace {

const Address kLoopback = Address::v4(0x7F000001, 2924);

ServeOptions options_of(TargetKind kind, bool frames_only, Offload offload) {
  ServeOptions options;
  options.kind = kind;
  options.frames_only = frames_only;
  options.offload = offload;
  return options;
}

TEST(DatagramNeeds, nothing_for_frames_at_one_loopback_address_without_offload) {
  const auto options = options_of(TargetKind::udp_echo, true, Offload::off);
  EXPECT_EQ(needs_of(options, kLoopback).details(), Details::none);
  EXPECT_EQ(needs_of(options, Address::v6(in6addr_loopback, 1)).details(), Details::none);
}

TEST(DatagramNeeds, the_segments_size_with_offload) {
  const auto options = options_of(TargetKind::udp_echo, true, Offload::automatic);
  EXPECT_EQ(needs_of(options, kLoopback).details(), Details::segments);
}

TEST(DatagramNeeds, the_time_to_live_where_plain_text_is_answered) {
  for (const TargetKind kind : {TargetKind::all, TargetKind::udp_echo}) {
    const DatagramNeeds needs = needs_of(options_of(kind, false, Offload::off), kLoopback);
    EXPECT_TRUE(needs.ttl);
    EXPECT_FALSE(needs.local);
    EXPECT_EQ(needs.details(), Details::all);
  }
  EXPECT_FALSE(needs_of(options_of(TargetKind::udp_sink, false, Offload::off), kLoopback).ttl);
}

TEST(DatagramNeeds, the_local_address_where_more_than_one_can_be_asked) {
  const auto options = options_of(TargetKind::udp_echo, true, Offload::off);
  for (const Address& many :
       {Address::v4(0, 1), Address::v6(in6addr_any, 1), Address::v4(0xFFFFFFFF, 1),
        Address::v4(0x7FFFFFFF, 1), Address::v4(0x0A000001, 1), Address::v4(0xE0000001, 1)}) {
    EXPECT_TRUE(needs_of(options, many).local) << many.text();
    EXPECT_EQ(needs_of(options, many).details(), Details::all) << many.text();
  }
}

TEST(DatagramNeeds, no_local_address_where_one_peer_comes_to_one_address) {
  auto options = options_of(TargetKind::udp_echo, true, Offload::off);
  options.one_peer = true;
  EXPECT_FALSE(needs_of(options, Address::v4(0x0A000001, 1)).local);
  for (const Address& many :
       {Address::v4(0, 1), Address::v6(in6addr_any, 1), Address::v4(0xFFFFFFFF, 1)})
    EXPECT_TRUE(needs_of(options, many).local) << many.text();
}

}  // namespace
}  // namespace volley
