// The account of a run's losses: every request without an answer stands once, at the place that the
// counters of its way name.
#include "reports/measure/loss_places.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace volley {
namespace {

// A run of 1,000 requests of which all were answered.
LossFacts clean() {
  return {.sent = 1000,
          .answered = 1000,
          .host = {.qdisc = 0, .device = 0, .backlog = 0, .no_ports = 0},
          .target = TargetAccount{.taken = 1000, .answered = 1000}};
}

// What is not 0.
std::vector<std::pair<LossSite, std::uint64_t>> sites_of(const LossPlaces& places) {
  std::vector<std::pair<LossSite, std::uint64_t>> found;
  for (std::size_t i = 0; i < kLossSites; ++i)
    if (places.sites[i].value_or(0) > 0)
      found.emplace_back(static_cast<LossSite>(i), *places.sites[i]);
  return found;
}

using Sites = std::vector<std::pair<LossSite, std::uint64_t>>;

TEST(LossPlaces, nothing_lost_is_nothing_anywhere) {
  const LossPlaces places = find_loss_places(clean());
  EXPECT_EQ(places.lost, 0U);
  EXPECT_EQ(sites_of(places), Sites{});
  EXPECT_EQ(places.unattributed, 0U);
  EXPECT_TRUE(places.target_heard);
}

TEST(LossPlaces, each_way_has_its_own_places) {
  LossFacts facts = clean();
  facts.answered = 1000 - 10 - 20 - 30 - 40 - 50 - 60 - 70;
  facts.host.qdisc = 10;
  facts.host.device = 20;
  facts.own_socket = 70;
  facts.target = TargetAccount{.taken = 1000 - 10 - 20 - 30 - 40,
                               .answered = 1000 - 10 - 20 - 30 - 40 - 50,
                               .socket_drops = 30};
  const LossPlaces places = find_loss_places(facts);
  EXPECT_EQ(places.lost, 280U);
  EXPECT_EQ(sites_of(places), (Sites{{LossSite::qdisc, 10},
                                     {LossSite::device, 20},
                                     {LossSite::target_socket, 30},
                                     {LossSite::forward_network, 40},
                                     {LossSite::target_application, 50},
                                     {LossSite::backward_network, 60},
                                     {LossSite::own_socket, 70}}));
  EXPECT_EQ(places.unattributed, 0U);
  EXPECT_FALSE(places.in_super_packets);
}

TEST(LossPlaces, an_answer_that_came_late_was_lost_nowhere) {
  LossFacts facts = clean();
  facts.answered = 990;
  facts.late = 10;
  const LossPlaces places = find_loss_places(facts);
  EXPECT_EQ(places.lost, 10U);
  EXPECT_EQ(places.late, 10U);
  EXPECT_EQ(sites_of(places), Sites{});
}

TEST(LossPlaces, a_kernel_that_refuses_to_send_an_answer_is_not_the_application) {
  LossFacts facts = clean();
  facts.answered = 993;
  facts.target = TargetAccount{.taken = 1000, .answered = 993, .send_errors = 7};
  EXPECT_EQ(sites_of(find_loss_places(facts)), (Sites{{LossSite::target_kernel, 7}}));
}

TEST(LossPlaces, drops_of_joined_datagrams_take_what_they_can_have_been) {
  LossFacts facts = clean();
  facts.answered = facts.target->answered = facts.target->taken = 1000 - 640;
  facts.target->socket_drops = 10;
  facts.target->socket_joins = true;
  EXPECT_EQ(sites_of(find_loss_places(facts)),
            (Sites{{LossSite::target_socket, 10}, {LossSite::forward_network, 630}}))
      << "nothing was sent to be divided";
  facts.divided = true;
  LossPlaces places = find_loss_places(facts);
  EXPECT_EQ(sites_of(places), (Sites{{LossSite::target_socket, 640}}));
  EXPECT_TRUE(places.in_super_packets);
  facts.answered = facts.target->answered = facts.target->taken = 1000 - 641;
  places = find_loss_places(facts);
  EXPECT_EQ(sites_of(places),
            (Sites{{LossSite::target_socket, 10}, {LossSite::forward_network, 631}}))
      << "more than 64 to each";
  EXPECT_FALSE(places.in_super_packets);
}

TEST(LossPlaces, without_the_target_only_this_host_is_seen) {
  LossFacts facts = clean();
  facts.target.reset();
  facts.answered = 900;
  facts.host.qdisc = 10;
  facts.host.device.reset();
  facts.own_socket = 20;
  const LossPlaces places = find_loss_places(facts);
  EXPECT_EQ(sites_of(places), (Sites{{LossSite::qdisc, 10}, {LossSite::own_socket, 20}}));
  EXPECT_EQ(places.unattributed, 70U);
  EXPECT_EQ(places.at(LossSite::device), std::nullopt);
  EXPECT_EQ(places.at(LossSite::forward_network), std::nullopt);
  EXPECT_EQ(places.at(LossSite::target_socket), std::nullopt);
  EXPECT_FALSE(places.target_heard);
}

TEST(LossPlaces, a_port_is_closed_when_one_refusal_came_and_never_an_answer) {
  LossFacts facts = clean();
  facts.target.reset();
  facts.answered = 0;
  facts.refused = 1;
  LossPlaces places = find_loss_places(facts);
  EXPECT_EQ(sites_of(places), (Sites{{LossSite::no_port, 1000}}));
  facts.answered = 600;  // it went away in between
  places = find_loss_places(facts);
  EXPECT_EQ(sites_of(places), (Sites{{LossSite::no_port, 1}}));
  EXPECT_EQ(places.unattributed, 399U);
  facts.same_host = true;  // here the kernel counts them
  facts.host.no_ports = 398;
  EXPECT_EQ(sites_of(find_loss_places(facts)), (Sites{{LossSite::no_port, 398}}));
}

TEST(LossPlaces, a_target_that_serves_others_says_nothing) {
  LossFacts facts = clean();
  facts.answered = 990;
  facts.target->taken = 1001;
  const LossPlaces places = find_loss_places(facts);
  EXPECT_TRUE(places.other_traffic);
  EXPECT_FALSE(places.target_heard);
  EXPECT_EQ(places.unattributed, 10U);
}

// Whatever the counters say, true or not.
RC_GTEST_PROP(LossPlacesProperty, EveryLossStandsOnce, ()) {
  const auto count = [] { return *rc::gen::inRange<std::uint64_t>(0, 100); };
  const auto maybe = [&] {
    return *rc::gen::arbitrary<bool>() ? std::optional(count()) : std::nullopt;
  };
  LossFacts facts{.sent = count(),
                  .answered = count(),
                  .late = count(),
                  .duplicates = count(),
                  .unreadable = count(),
                  .refused = count(),
                  .own_socket = count(),
                  .divided = *rc::gen::arbitrary<bool>(),
                  .joined = *rc::gen::arbitrary<bool>(),
                  .same_host = *rc::gen::arbitrary<bool>(),
                  .host = {maybe(), maybe(), maybe(), maybe()}};
  if (*rc::gen::arbitrary<bool>())
    facts.target =
        TargetAccount{count(), count(), count(), count(), count(), *rc::gen::arbitrary<bool>()};
  const LossPlaces places = find_loss_places(facts);
  std::uint64_t sum = places.late + places.unattributed;
  for (const auto& site : places.sites) sum += site.value_or(0);
  RC_ASSERT(places.sent == places.answered + places.lost);
  RC_ASSERT(places.lost == sum);
}

}  // namespace
}  // namespace volley
