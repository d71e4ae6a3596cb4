// Facts are given by hand: what is refused, and with which numbers, depends on them alone.
#include "generators/engine/preflight.hpp"

#include <gtest/gtest.h>

namespace volley {
namespace {

using Count = std::optional<std::uint64_t>;

SocketRoom room_of(std::uint64_t descriptors, std::uint64_t ports) {
  return {.descriptors = descriptors, .descriptors_open = 5, .ports_per_source = ports};
}

bool says(const std::optional<RunError>& error, std::string_view text) {
  return error && std::string_view(error->what()).find(text) != std::string_view::npos;
}

TEST(Preflight, a_run_that_fits_is_not_refused) {
  EXPECT_FALSE(refusal({.flows = 1000, .threads = 2, .sources = 1}, room_of(1020, 1000)));
}

TEST(Preflight, one_descriptor_too_few_is_refused_with_the_numbers) {
  const auto error = refusal({.flows = 1000, .threads = 2, .sources = 1}, room_of(1019, 1000));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), "too_many_files");
  EXPECT_EQ(error->phase(), "setup");
  EXPECT_TRUE(says(error, "--flows 1000:")) << error->what();
  EXPECT_TRUE(says(error, "1020 needed")) << error->what();
  EXPECT_TRUE(says(error, "[1019 available")) << error->what();
  EXPECT_TRUE(says(error, "at most 999 flows")) << error->what();
  EXPECT_TRUE(says(error, "ulimit -n 1020")) << error->what();
}

TEST(Preflight, descriptors_that_are_open_already_count) {
  SocketRoom room = room_of(1020, 1000);
  room.descriptors_open = 17;  // one more than is kept aside anyway
  EXPECT_TRUE(says(refusal({.flows = 1000, .threads = 2, .sources = 1}, room), "1021 needed"));
}

TEST(Preflight, a_limit_below_our_own_needs_leaves_no_flow) {
  EXPECT_TRUE(
      says(refusal({.flows = 1, .threads = 1, .sources = 1}, room_of(4, 1000)), "at most 0 flows"));
}

TEST(Preflight, one_port_too_few_is_refused_with_the_numbers) {
  const auto error = refusal({.flows = 101, .threads = 1, .sources = 1}, room_of(20'000, 100));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), "no_ports");
  EXPECT_TRUE(says(error, "101 needed")) << error->what();
  EXPECT_TRUE(says(error, "[100 available: 100 of")) << error->what();
  EXPECT_TRUE(says(error, "use 2 source addresses or more")) << error->what();
}

TEST(Preflight, every_source_address_has_all_the_ports) {
  EXPECT_FALSE(refusal({.flows = 300, .threads = 1, .sources = 3}, room_of(20'000, 100)));
  const auto error = refusal({.flows = 301, .threads = 1, .sources = 3}, room_of(20'000, 100));
  EXPECT_TRUE(says(error, "[300 available: 100 of")) << error->what();
  EXPECT_TRUE(says(error, "each of 3 source addresses")) << error->what();
  EXPECT_TRUE(says(error, "use 4 source addresses")) << error->what();
}

TEST(Preflight, what_cannot_be_read_refuses_nothing) {
  EXPECT_FALSE(refusal({.flows = 1'000'000, .threads = 1, .sources = 1}, SocketRoom{}));
}

TEST(Preflight, ports_are_counted_with_both_ends_and_without_the_reserved_ones) {
  EXPECT_EQ(count_ports("32768\t60999", ""), Count(28'232));
  EXPECT_EQ(count_ports("32768 60999", "8080,40000-40009,60999"), Count(28'221));
  EXPECT_EQ(count_ports("100 199", "150-300"), Count(50));
  EXPECT_EQ(count_ports("100 100", "100"), Count(0));
}

TEST(Preflight, ports_in_another_form_are_not_guessed) {
  for (const char* range : {"", "x y", "200 100", "100 70000", "1 2 x"})
    EXPECT_EQ(count_ports(range, ""), std::nullopt) << range;
  EXPECT_EQ(count_ports("100 199", "what"), std::nullopt);
}

TEST(Preflight, this_machine_has_descriptors_and_ports) {
  const SocketRoom room = socket_room();
  ASSERT_TRUE(room.descriptors);
  EXPECT_GE(room.descriptors_open, 3U);
  EXPECT_LT(room.descriptors_open, *room.descriptors);
  ASSERT_TRUE(room.ports_per_source);
  EXPECT_GT(*room.ports_per_source, 0U);
}

}  // namespace
}  // namespace volley
