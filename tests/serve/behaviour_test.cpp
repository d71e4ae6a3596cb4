#include "targets/serve/behaviour.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace volley {
namespace {

Behaviour behaviour(const BehaviourOptions& options) { return Behaviour(options); }

TEST(Behaviour, every_tenth_request_of_a_flow_is_dropped_and_no_other) {
  BehaviourOptions options;
  options.drop = {.kind = DropRule::Kind::every, .n = 10};
  const Behaviour b = behaviour(options);
  for (std::uint64_t count = 1; count <= 1000; ++count) {
    EXPECT_EQ(b.drops({.flow = 3, .n = count - 1}, count), count % 10 == 0) << count;
  }
}

TEST(Behaviour, after_n_answers_the_first_n_requests_and_none_behind_them) {
  BehaviourOptions options;
  options.drop = {.kind = DropRule::Kind::after, .n = 100};
  const Behaviour b = behaviour(options);
  for (std::uint64_t count = 1; count <= 300; ++count) {
    EXPECT_EQ(b.drops({.flow = 0, .n = count - 1}, count), count > 100) << count;
  }
}

TEST(Behaviour, without_options_nothing_is_changed) {
  const Behaviour b = behaviour({});
  EXPECT_FALSE(b.shapes_udp());
  EXPECT_FALSE(b.defers());
  for (std::uint64_t n = 0; n < 1000; ++n) {
    EXPECT_FALSE(b.drops({.flow = 1, .n = n}, n + 1));
    EXPECT_FALSE(b.duplicates({.flow = 1, .n = n}));
    EXPECT_FALSE(b.reorders({.flow = 1, .n = n}));
    EXPECT_EQ(b.service_time({.flow = 1, .n = n}), Nanos{0});
  }
}

TEST(Behaviour, a_share_is_met_within_four_standard_deviations_for_every_seed) {
  constexpr int kRequests = 20'000;
  constexpr double kShare = 0.05;
  const double allowed = 4 * std::sqrt(kRequests * kShare * (1 - kShare));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    BehaviourOptions options;
    options.seed = seed;
    options.drop = {.kind = DropRule::Kind::ratio, .ratio = kShare};
    options.duplicate_ratio = kShare;
    options.reorder_ratio = kShare;
    const Behaviour b = behaviour(options);
    int dropped = 0, doubled = 0, held = 0, dropped_and_doubled = 0;
    for (std::uint64_t n = 0; n < kRequests; ++n) {
      const RequestNumber request{.flow = seed % 7, .n = n};
      const bool drop = b.drops(request, n + 1);
      const bool twice = b.duplicates(request);
      dropped += drop ? 1 : 0;
      doubled += twice ? 1 : 0;
      held += b.reorders(request) ? 1 : 0;
      dropped_and_doubled += drop && twice ? 1 : 0;
    }
    EXPECT_NEAR(dropped, kRequests * kShare, allowed) << "seed " << seed;
    EXPECT_NEAR(doubled, kRequests * kShare, allowed) << "seed " << seed;
    EXPECT_NEAR(held, kRequests * kShare, allowed) << "seed " << seed;
    // Independent decisions meet with the product of their shares: 50 expected.
    EXPECT_NEAR(dropped_and_doubled, 50, 4 * std::sqrt(50.0)) << "seed " << seed;
  }
}

TEST(Behaviour, a_decision_depends_on_seed_flow_and_number_alone) {
  BehaviourOptions options;
  options.drop = {.kind = DropRule::Kind::ratio, .ratio = 0.5};
  const auto pattern = [&](std::uint64_t seed, std::uint64_t flow) {
    options.seed = seed;
    const Behaviour b = behaviour(options);
    std::vector<bool> dropped;
    for (std::uint64_t n = 0; n < 256; ++n) {
      dropped.push_back(b.drops({.flow = flow, .n = n}, 1000 + n));  // the count plays no part
    }
    return dropped;
  };
  EXPECT_EQ(pattern(1, 0), pattern(1, 0));
  EXPECT_NE(pattern(1, 0), pattern(2, 0));
  EXPECT_NE(pattern(1, 0), pattern(1, 1));
}

TEST(Behaviour, a_share_of_0_is_never_and_a_share_of_1_is_always) {
  BehaviourOptions options;
  options.drop = {.kind = DropRule::Kind::ratio, .ratio = 1};
  for (std::uint64_t n = 0; n < 1000; ++n) {
    EXPECT_TRUE(behaviour(options).drops({.flow = 0, .n = n}, n + 1));
  }
  options.drop.ratio = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    EXPECT_FALSE(behaviour(options).drops({.flow = 0, .n = n}, n + 1));
  }
}

TEST(Behaviour, exponential_service_times_have_their_mean_and_their_tail) {
  constexpr int kRequests = 100'000;
  BehaviourOptions options;
  options.service = {.kind = ServiceTime::Kind::exponential, .mean = Nanos{200'000}};
  const Behaviour b = behaviour(options);
  double sum = 0;
  int above_three_means = 0;
  for (std::uint64_t n = 0; n < kRequests; ++n) {
    const Nanos t = b.service_time({.flow = 0, .n = n});
    ASSERT_GE(t, Nanos{0});
    sum += static_cast<double>(t.count());
    above_three_means += t > Nanos{600'000} ? 1 : 0;
  }
  EXPECT_NEAR(sum / kRequests, 200'000, 4 * 200'000 / std::sqrt(kRequests));
  const double expected = kRequests * std::exp(-3.0);
  EXPECT_NEAR(above_three_means, expected, 4 * std::sqrt(expected));
}

TEST(VirtualServer, requests_queue_behind_each_other_and_an_idle_server_begins_at_once) {
  VirtualServer server;
  const MonoTime t0{Nanos{1'000'000}};
  const Nanos ms{1'000'000};
  EXPECT_EQ(server.leave(t0, ms), t0 + ms);
  EXPECT_EQ(server.leave(t0, ms), t0 + 2 * ms);             // came together: the second waits
  EXPECT_EQ(server.leave(t0 + ms / 2, ms), t0 + 3 * ms);    // came while it was busy
  EXPECT_EQ(server.leave(t0 + 10 * ms, ms), t0 + 11 * ms);  // idle again
}

TEST(StallWindow, lasts_its_length_from_its_delay_after_the_first_request) {
  const MonoTime first{std::chrono::seconds(100)};
  const StallWindow window({.length = std::chrono::seconds(1), .after = std::chrono::seconds(4)},
                           first);
  EXPECT_FALSE(window.contains(first));
  EXPECT_FALSE(window.contains(first + std::chrono::seconds(4) - Nanos{1}));
  EXPECT_TRUE(window.contains(first + std::chrono::seconds(4)));
  EXPECT_TRUE(window.contains(first + std::chrono::seconds(5) - Nanos{1}));
  EXPECT_FALSE(window.contains(first + std::chrono::seconds(5)));
}

}  // namespace
}  // namespace volley
