// The table of requests in flight, against a plain model of it.
#include "generators/engine/outstanding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <list>

namespace volley {
namespace {

OutstandingRequest request(std::uint32_t flow, std::uint64_t sequence, Nanos sent) {
  OutstandingRequest r;
  r.flow = flow;
  r.sequence = sequence;
  r.sent = r.intended = MonoTime(sent);
  return r;
}

TEST(Outstanding, an_answer_is_found_only_by_its_own_slot_flow_and_sequence) {
  Outstanding table(2, Nanos(100));
  const std::uint32_t slot = table.add(request(1, 7, Nanos(0)));
  EXPECT_EQ(table.find(slot, 1, 7), slot);
  EXPECT_EQ(table.find(slot, 0, 7), kNoSlot);
  EXPECT_EQ(table.find(slot, 1, 8), kNoSlot);
  EXPECT_EQ(table.find(slot + 1, 1, 7), kNoSlot);
  EXPECT_EQ(table.find(kNoSlot, 1, 7), kNoSlot);
  table.remove(slot);
  EXPECT_EQ(table.find(slot, 1, 7), kNoSlot);
}

TEST(Outstanding, the_slot_written_into_a_request_is_the_slot_it_gets) {
  Outstanding table(1, Nanos(100));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint32_t announced = table.next_slot();
    EXPECT_EQ(table.add(request(0, i, Nanos(0))), announced);
  }
  EXPECT_EQ(table.waiting(), 1000U);
}

TEST(Outstanding, requests_expire_in_the_order_they_were_sent_and_not_before_their_time) {
  Outstanding table(2, Nanos(100));
  const std::uint32_t first = table.add(request(0, 0, Nanos(10)));
  const std::uint32_t second = table.add(request(1, 0, Nanos(20)));
  EXPECT_EQ(table.expired(MonoTime(Nanos(109))), kNoSlot);
  EXPECT_EQ(table.expired(MonoTime(Nanos(110))), first);
  table.remove(first);
  EXPECT_EQ(table.expired(MonoTime(Nanos(119))), kNoSlot);
  EXPECT_EQ(table.expired(MonoTime(Nanos(120))), second);
  EXPECT_EQ(table.next_deadline(), MonoTime(Nanos(120)));
}

TEST(Outstanding, a_lost_request_keeps_its_turn_but_waits_no_more) {
  Outstanding table(1, Nanos(100));
  const std::uint32_t lost = table.add(request(0, 0, Nanos(0)));
  const std::uint32_t next = table.add(request(0, 1, Nanos(0)));
  table.keep_as_lost(lost);
  EXPECT_EQ(table.waiting(), 1U);
  EXPECT_EQ(table.oldest_of(0), lost);
  EXPECT_EQ(table.find(lost, 0, 0), kNoSlot);
  EXPECT_EQ(table.expired(MonoTime(Nanos(100))), next);
  table.remove(lost);
  EXPECT_EQ(table.oldest_of(0), next);
}

RC_GTEST_PROP(Outstanding, it_agrees_with_a_model_whatever_is_added_and_removed,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps)) {
  constexpr std::uint32_t kFlows = 3;
  Outstanding table(kFlows, Nanos(50));
  std::list<std::uint32_t> sent;  // slots by time of sending
  std::int64_t now = 0;
  std::uint64_t sequence = 0;
  for (const auto& [what, which] : steps) {
    now += what % 7;
    if (what % 3 != 0 || sent.empty()) {
      sent.push_back(table.add(request(which % kFlows, sequence++, Nanos(now))));
    } else {
      const auto victim = std::next(sent.begin(), static_cast<std::ptrdiff_t>(which % sent.size()));
      table.remove(*victim);
      sent.erase(victim);
    }
    RC_ASSERT(table.waiting() == sent.size());
    RC_ASSERT(table.empty() == sent.empty());
    if (!sent.empty()) RC_ASSERT(table.next_deadline() == table.at(sent.front()).sent + Nanos(50));
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
      std::vector<std::uint32_t> expected;
      for (const std::uint32_t slot : sent)
        if (table.at(slot).flow == flow) expected.push_back(slot);
      std::vector<std::uint32_t> found;
      for (std::uint32_t slot = table.oldest_of(flow); slot != kNoSlot; slot = table.next_of(slot))
        found.push_back(slot);
      RC_ASSERT(found == expected);
      RC_ASSERT(table.waiting_of(flow) == expected.size());
    }
  }
}

}  // namespace
}  // namespace volley
