// The order of a duel's rounds. (Whole duels are played in tests/cli/test_duel.py.)
#include "generators/campaign/duel.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

TEST(Duel, rounds_go_udp_tcp_tcp_udp_and_so_on) {
  constexpr Protocol u = Protocol::udp;
  constexpr Protocol t = Protocol::tcp;
  const std::vector<Protocol> expected{u, t, t, u, u, t, t, u};
  for (std::uint32_t i = 0; i < expected.size(); ++i) EXPECT_EQ(duel_protocol(i), expected[i]) << i;
}

TEST(Duel, a_drift_of_the_machine_meets_both_protocols_alike) {
  // The sum of the places of each protocol is the same after every four rounds.
  std::int64_t difference = 0;
  for (std::uint32_t i = 0; i < 400; ++i) {
    difference += duel_protocol(i) == Protocol::udp ? i : -static_cast<std::int64_t>(i);
    if (i % 4 == 3) {
      EXPECT_EQ(difference, 0) << i;
    }
  }
}

TEST(Duel, every_pair_of_rounds_holds_both_protocols) {
  for (std::uint32_t pair = 0; pair < 100; ++pair) {
    EXPECT_NE(duel_protocol(2 * pair), duel_protocol(2 * pair + 1)) << pair;
  }
}

}  // namespace
}  // namespace volley
