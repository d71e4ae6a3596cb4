// The kernel's stamps of datagrams over loopback, against readings of the clock around the calls.
#include "targets/wire/stamps.hpp"

#include <gtest/gtest.h>

#include "targets/wire/datagrams.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

struct Pair {
  Descriptor server = listener(Protocol::udp, loopback4());
  Descriptor client = listener(Protocol::udp, loopback4());
  ReceiveBatch batch{8, 64, Details::none};

  // Sends one and receives it.
  Received pass(bool stamped) {
    const Address to = local_address(server);
    SendBatch sending(1);
    sending.add(bytes_of("x"), &to);
    if (stamped) sending.stamp(0);
    EXPECT_EQ(sending.send(client), 1);
    EXPECT_TRUE(wait_for(server));
    EXPECT_EQ(batch.receive(server), 1);
    return batch.at(0);
  }
  // The kernel begins to stamp a moment after it was asked.
  void until_it_stamps() {
    while (pass(false).kernel_time == Nanos(0)) {
    }
  }
};

Nanos wall() { return wall_now().time_since_epoch(); }

TEST(Stamps, OfWhatCameLieBetweenSendingAndReading) {
  Pair pair;
  EXPECT_EQ(pair.pass(false).kernel_time, Nanos(0));
  ASSERT_EQ(stamp_received(pair.server), 0);
  pair.batch.read_kernel_times();
  pair.until_it_stamps();
  const Nanos before = wall();
  const Received got = pair.pass(false);
  EXPECT_GE(got.kernel_time, before);
  EXPECT_LE(got.kernel_time, wall());
  EXPECT_EQ(got.bytes.size(), 1U);
}

TEST(Stamps, OfWhatLeftAreNumberedAndOnlyThereWhereAskedFor) {
  Pair pair;
  ASSERT_EQ(stamp_both(pair.client), 0);
  ASSERT_EQ(stamp_received(pair.server), 0);
  pair.batch.read_kernel_times();
  pair.until_it_stamps();
  EXPECT_FALSE(take_send_stamp(pair.client));
  for (std::uint32_t number = 0; number < 3; ++number) {
    (void)pair.pass(false);
    const Nanos before = wall();
    const Received got = pair.pass(true);
    const auto left = take_send_stamp(pair.client);
    ASSERT_TRUE(left) << number;
    EXPECT_EQ(left->number, number);
    EXPECT_GE(left->time, before);
    EXPECT_LE(left->time, got.kernel_time);
    EXPECT_FALSE(take_send_stamp(pair.client));
  }
}

TEST(Stamps, TheWallClockIsAheadByWhatTwoReadingsAroundItSay) {
  const MonoTime before = mono_now();
  const Nanos now = wall();
  const MonoTime after = mono_now();
  const WallOffset offset = wall_offset();
  EXPECT_GE(offset.ahead + offset.error, now - after.time_since_epoch());
  EXPECT_LE(offset.ahead - offset.error, now - before.time_since_epoch());
  EXPECT_GE(offset.error, Nanos(0));
}

}  // namespace
}  // namespace volley
