// Messages in a row: each as it would be alone.
#include "generators/engine/message_batch.hpp"

#include <gtest/gtest.h>

#include "generators/engine/exchange.hpp"
#include "targets/wire/frame.hpp"

namespace volley {
namespace {

RunPlan plan_of(std::vector<SizeShare> sizes) {
  RunPlan plan;
  plan.sizes = std::move(sizes);
  plan.seed = 7;
  return plan;
}

TEST(MessageBatch, frames_in_a_row_are_the_frames_made_one_by_one) {
  FrameExchange exchange(plan_of({{100, 1}}), 0xABCD);
  MessageBatch batch(64, exchange.sample(), true);
  for (int round = 0; round < 2; ++round) {  // the second one over the first one's remains
    batch.clear();
    const Outgoing first{70'000, 9, 1'000'000 + static_cast<std::uint64_t>(round), 100, 0};
    exchange.encode(first, 64, batch.add(100, 64));
    ASSERT_EQ(batch.bytes().size(), 6400U);
    EXPECT_TRUE(batch.is_even());
    for (std::uint32_t i = 0; i < 64; ++i) {
      Outgoing one = first;
      one.sequence += i;
      const auto alone = exchange.encode(one);
      const auto in_row = batch.bytes().subspan(std::size_t{i} * 100, 100);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), in_row.begin(), in_row.end())) << i;
    }
  }
}

TEST(MessageBatch, messages_of_several_sizes_lie_behind_each_other) {
  EchoExchange exchange(plan_of({{3, 1}, {20, 1}}), 1);
  MessageBatch batch(64, exchange.sample(), false);
  std::size_t at = 0;
  for (const std::uint32_t size : {20U, 3U, 20U}) {
    exchange.encode(Outgoing{1, 0, 5, size, 0}, 1, batch.add(size));
    const auto alone = exchange.encode(Outgoing{1, 0, 5, size, 0});
    const auto in_row = batch.bytes().subspan(at, size);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), in_row.begin(), in_row.end()));
    at += size;
  }
  EXPECT_FALSE(batch.is_even());
  EXPECT_EQ(batch.count(), 3U);
}

TEST(MessageBatch, it_holds_what_the_kernel_takes_at_once_and_at_least_one) {
  const std::vector<std::byte> small(1000), large(70'000);
  EXPECT_EQ(MessageBatch(64, small, true).most(), 64U);
  EXPECT_EQ(MessageBatch(8, small, true).most(), 8U);
  EXPECT_EQ(MessageBatch(64, std::vector<std::byte>(1400), true).most(), 46U);
  EXPECT_EQ(MessageBatch(64, large, true).most(), 1U);
}

TEST(JoinedAnswers, a_run_ends_where_the_next_answer_is_not_the_next_requests) {
  FrameExchange exchange(plan_of({{64, 1}}), 5);
  MessageBatch batch(64, exchange.sample(), true);
  exchange.encode(Outgoing{3, 11, 40, 64, 0}, 10, batch.add(64, 10));
  const auto at = [&](std::size_t i) { return batch.bytes().subspan(i * 64); };
  const Answer all = exchange.recognise_joined(at(0), 64, std::nullopt);
  EXPECT_EQ(all.count, 10U);
  EXPECT_EQ(all.slot, 11U);
  EXPECT_EQ(all.sequence, 40U);
  EXPECT_EQ(all.bytes, 64U);
  EXPECT_EQ(exchange.recognise_joined(at(9), 64, std::nullopt).count, 1U);
  // The last one of a joined slot may be shorter: it is not part of the run.
  EXPECT_EQ(exchange.recognise_joined(batch.bytes().first(3 * 64 - 1), 64, std::nullopt).count, 2U);

  std::vector<std::byte> other(batch.bytes().begin(), batch.bytes().end());
  for (const std::size_t offset : {0U, 3U, 4U, 8U, 12U, 16U, 18U, 23U}) {
    other[4 * 64 + offset] ^= std::byte{1};
    EXPECT_EQ(exchange.recognise_joined(other, 64, std::nullopt).count, 4U) << offset;
    other[4 * 64 + offset] ^= std::byte{1};
  }
  other[0] ^= std::byte{1};
  const Answer broken = exchange.recognise_joined(other, 64, std::nullopt);
  EXPECT_EQ(broken.verdict, Answer::Verdict::malformed);
  EXPECT_EQ(broken.count, 1U);
}

}  // namespace
}  // namespace volley
