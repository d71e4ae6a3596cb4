// The book of requests in flight, against a plain model of it.
#include "generators/engine/sent_batches.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace volley {
namespace {

std::vector<Due> requests(std::size_t n, Nanos intended, Nanos apart = Nanos(0)) {
  std::vector<Due> due(n);
  for (std::size_t i = 0; i < n; ++i)
    due[i].intended = MonoTime(intended + apart * static_cast<std::int64_t>(i));
  return due;
}

TEST(SentBatches, an_answer_is_found_only_by_its_own_slot_flow_and_numbers) {
  SentBatches table(2, Nanos(100));
  const std::uint32_t slot = table.add(1, 7, MonoTime(Nanos(0)), requests(3, Nanos(0)));
  EXPECT_EQ(table.find(slot, 1, 7, 1), 0b001U);
  EXPECT_EQ(table.find(slot, 1, 8, 2), 0b110U);
  EXPECT_EQ(table.find(slot, 1, 7, 3), 0b111U);
  EXPECT_EQ(table.find(slot, 1, 7, 4), 0U);
  EXPECT_EQ(table.find(slot, 1, 6, 1), 0U);
  EXPECT_EQ(table.find(slot, 1, 10, 1), 0U);
  EXPECT_EQ(table.find(slot, 0, 7, 1), 0U);
  EXPECT_EQ(table.find(slot + 1, 1, 7, 1), 0U);
  EXPECT_EQ(table.find(SentBatches::kNone, 1, 7, 1), 0U);
  EXPECT_EQ(table.find(slot, 1, 7, 0), 0U);
  EXPECT_EQ(table.find(slot, 1, 7, ~std::uint64_t{0}), 0U);
  table.remove(slot, 0b010);
  EXPECT_EQ(table.find(slot, 1, 8, 1), 0U);
  EXPECT_EQ(table.find(slot, 1, 7, 3), 0U) << "one of the three has been answered";
  table.remove(slot, 0b101);
  EXPECT_EQ(table.find(slot, 1, 7, 1), 0U);
  EXPECT_TRUE(table.empty());
}

TEST(SentBatches, a_whole_batch_of_sixty_four_fits_its_word) {
  SentBatches table(1, Nanos(100));
  const std::uint32_t slot = table.add(0, 100, MonoTime(Nanos(0)), requests(64, Nanos(0)));
  EXPECT_EQ(table.find(slot, 0, 100, 64), ~std::uint64_t{0});
  EXPECT_EQ(table.waiting_of(0), 64U);
  table.remove(slot, ~std::uint64_t{0});
  EXPECT_EQ(table.waiting_of(0), 0U);
}

TEST(SentBatches, the_slot_written_into_a_request_is_the_slot_it_gets) {
  SentBatches table(1, Nanos(100));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint32_t announced = table.next_slot();
    EXPECT_EQ(table.add(0, 2 * i, MonoTime(Nanos(0)), requests(2, Nanos(0))), announced);
  }
  EXPECT_EQ(table.waiting_of(0), 2000U);
}

TEST(SentBatches, batches_expire_in_the_order_they_were_sent_and_not_before_their_time) {
  SentBatches table(2, Nanos(100));
  const std::uint32_t first = table.add(0, 0, MonoTime(Nanos(10)), requests(2, Nanos(0)));
  const std::uint32_t second = table.add(1, 0, MonoTime(Nanos(20)), requests(2, Nanos(0)));
  EXPECT_EQ(table.expired(MonoTime(Nanos(109))), SentBatches::kNone);
  EXPECT_EQ(table.expired(MonoTime(Nanos(110))), first);
  table.remove(first, 0b11);
  EXPECT_EQ(table.expired(MonoTime(Nanos(119))), SentBatches::kNone);
  EXPECT_EQ(table.expired(MonoTime(Nanos(120))), second);
  EXPECT_EQ(table.next_deadline(), MonoTime(Nanos(120)));
}

TEST(SentBatches, a_claim_makes_room_at_once_and_keeps_everything_else_until_it_is_removed) {
  SentBatches table(1, Nanos(100));
  const std::uint32_t first = table.add(0, 0, MonoTime(Nanos(10)), requests(3, Nanos(1), Nanos(1)));
  table.claim(first, 0b101);
  EXPECT_EQ(table.waiting_of(0), 1U);
  EXPECT_EQ(table.find(first, 0, 0, 1), 0U) << "a second answer finds nothing";
  EXPECT_EQ(table.find(first, 0, 1, 1), 0b010U);
  table.claim(first, 0b010);
  // What leaves in between neither takes the slot nor overwrites its times.
  for (std::uint64_t i = 0; i < 100; ++i)
    EXPECT_NE(table.add(0, 3 + 2 * i, MonoTime(Nanos(20)), requests(2, Nanos(30), Nanos(1))),
              first);
  EXPECT_EQ(table.waiting_of(0), 200U);
  for (std::uint32_t bit = 0; bit < 3; ++bit)
    EXPECT_EQ(table.intended_of(table.at(first), bit), MonoTime(Nanos(1 + bit)));
  table.remove(first, 0b111);
  EXPECT_EQ(table.waiting_of(0), 200U);
  EXPECT_EQ(table.next_deadline(), MonoTime(Nanos(120)));
  EXPECT_EQ(table.add(0, 203, MonoTime(Nanos(20)), requests(1, Nanos(30))), first);
}

TEST(SentBatches, a_lost_request_that_is_owed_keeps_its_turn_but_waits_no_more) {
  SentBatches table(1, Nanos(100));
  const std::uint32_t lost = table.add(0, 0, MonoTime(Nanos(0)), requests(2, Nanos(0)));
  const std::uint32_t next = table.add(0, 2, MonoTime(Nanos(0)), requests(1, Nanos(0)));
  table.keep_as_owed(lost, 0b11);
  EXPECT_EQ(table.waiting_of(0), 1U);
  EXPECT_EQ(table.oldest_of(0)->slot, lost);
  EXPECT_EQ(table.oldest_of(0)->bit, 0U);
  EXPECT_EQ(table.find(lost, 0, 0, 1), 0U);
  EXPECT_EQ(table.expired(MonoTime(Nanos(100))), next);
  table.remove(lost, 0b01);
  EXPECT_EQ(table.oldest_of(0)->bit, 1U);
  table.remove(lost, 0b10);
  EXPECT_EQ(table.oldest_of(0)->slot, next);
}

TEST(SentBatches, every_request_keeps_its_own_intended_time_however_many_wait) {
  SentBatches table(1, Nanos(1'000'000));
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 500; ++i)
    slots.push_back(table.add(0, static_cast<std::uint64_t>(i) * 10, MonoTime(Nanos(i)),
                              requests(i % 3 == 0 ? 1 : 10, Nanos(1000 * i), Nanos(i % 2))));
  for (int i = 0; i < 500; ++i) {
    const SentBatch& batch = table.at(slots[static_cast<std::size_t>(i)]);
    for (std::uint32_t bit = 0; bit < batch.size; ++bit)
      EXPECT_EQ(table.intended_of(batch, bit),
                MonoTime(Nanos(1000 * i + (i % 2) * static_cast<int>(bit))));
  }
}

// One request of the model.
struct Held {
  std::uint32_t slot;
  std::uint32_t bit;
  MonoTime intended;
  MonoTime sent;
  bool owed = false;
};

RC_GTEST_PROP(SentBatches, it_agrees_with_a_model_whatever_is_added_answered_and_lost,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps)) {
  constexpr std::uint32_t kFlows = 3;
  SentBatches table(kFlows, Nanos(50));
  std::map<std::uint32_t, std::map<std::uint64_t, Held>> model;  // flow, sequence
  std::vector<std::uint64_t> next(kFlows, 0);
  std::int64_t now = 0;
  for (const auto& [what, which] : steps) {
    now += what % 7;
    const std::uint32_t flow = which % kFlows;
    auto& held = model[flow];
    if (what % 3 == 0 || held.empty()) {
      const auto due = requests(1 + which % 64, Nanos(now), Nanos(what % 2));
      const std::uint32_t slot = table.add(flow, next[flow], MonoTime(Nanos(now)), due);
      for (std::uint32_t bit = 0; bit < due.size(); ++bit)
        held[next[flow]++] = Held{slot, bit, due[bit].intended, MonoTime(Nanos(now))};
    } else {
      const auto victim = std::next(held.begin(), static_cast<std::ptrdiff_t>(which % held.size()));
      Held& request = victim->second;
      const std::uint64_t bit = std::uint64_t{1} << request.bit;
      RC_ASSERT(table.find(request.slot, flow, victim->first, 1) == (request.owed ? 0 : bit));
      RC_ASSERT(table.intended_of(table.at(request.slot), request.bit) == request.intended ||
                request.owed);
      if (what % 3 == 1 && !request.owed) {
        table.keep_as_owed(request.slot, bit);
        request.owed = true;
      } else {
        if (!request.owed && (what & 8U) != 0) {
          table.claim(request.slot, bit);
          RC_ASSERT(table.find(request.slot, flow, victim->first, 1) == 0);
        }
        table.remove(request.slot, bit);
        held.erase(victim);
      }
    }
    std::optional<MonoTime> deadline;
    for (std::uint32_t f = 0; f < kFlows; ++f) {
      std::uint32_t waiting = 0;
      for (const auto& [sequence, request] : model[f]) {
        if (request.owed) continue;
        ++waiting;
        deadline = std::min(deadline.value_or(MonoTime::max()), request.sent + Nanos(50));
      }
      RC_ASSERT(table.waiting_of(f) == waiting);
      const auto oldest = table.oldest_of(f);
      RC_ASSERT(oldest.has_value() == !model[f].empty());
      if (!oldest) continue;
      RC_ASSERT(oldest->slot == model[f].begin()->second.slot);
      RC_ASSERT(oldest->bit == model[f].begin()->second.bit);
    }
    RC_ASSERT(table.empty() == !deadline.has_value());
    if (deadline) RC_ASSERT(table.next_deadline() == *deadline);
  }
}

}  // namespace
}  // namespace volley
