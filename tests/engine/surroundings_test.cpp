// Files of the kernel as they are, as they may be, and as nobody would write them.
#include "generators/engine/surroundings.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <string>

namespace volley {
namespace {

constexpr std::string_view kStat =
    "cpu  300 20 100 5000 50 7 9 40 3 0\n"
    "cpu0 100 10 40 2500 20 3 4 10 1 0\n"
    "cpu1 200 10 60 2500 30 4 5 30 2 0\n"
    "cpu10 1 1 1 1 1 1 1 1 1 1\n"
    "intr 12345 0 0\n";

TEST(Surroundings, cpu_time_is_that_of_the_cpus_in_question) {
  const std::array<unsigned, 2> both{0, 1};
  const auto use = parse_cpu_use(kStat, both);
  ASSERT_TRUE(use);
  EXPECT_EQ(use->used, 100U + 10 + 40 + 200 + 10 + 60);
  EXPECT_EQ(use->steal, 40U);
  EXPECT_EQ(use->total, 2687U + 2839U);
  const std::array<unsigned, 1> first{0};
  EXPECT_EQ(parse_cpu_use(kStat, first)->total, 2687U);
}

TEST(Surroundings, cpu_time_is_unknown_without_a_line_for_each_cpu) {
  const std::array<unsigned, 2> gone{0, 7};
  EXPECT_FALSE(parse_cpu_use(kStat, gone));
  const std::array<unsigned, 1> first{0};
  EXPECT_FALSE(parse_cpu_use("", first));
  EXPECT_FALSE(parse_cpu_use("cpu0 1 2 3\n", first));
  EXPECT_FALSE(parse_cpu_use("cpu0 1 2 3 x 5 6 7 8\n", first));
  EXPECT_FALSE(parse_cpu_use(kStat, {}));
}

TEST(Surroundings, the_wait_for_a_cpu_is_the_second_number) {
  EXPECT_EQ(parse_run_queue_wait("90716 2527978 2\n"), 2527978U);
  EXPECT_FALSE(parse_run_queue_wait("90716"));
  EXPECT_FALSE(parse_run_queue_wait(""));
  EXPECT_FALSE(parse_run_queue_wait("1 99999999999999999999999 2"));
}

TEST(Surroundings, a_quota_is_read_from_its_line) {
  EXPECT_EQ(parse_throttled("nr_periods 12\nnr_throttled 3\nthrottled_time 99\n"), 3U);
  EXPECT_EQ(parse_throttled("usage_usec 1\nuser_usec 1\nsystem_usec 0\n"), std::nullopt);
  EXPECT_FALSE(parse_throttled("nr_throttled x"));
}

TEST(Surroundings, the_control_group_is_that_of_the_cpu_controller_or_of_the_one_hierarchy) {
  const auto first = parse_cpu_group("5:memory:/m\n3:cpu,cpuacct:/a/b\n0::/\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->version, 1);
  EXPECT_EQ(first->path, "/a/b");
  const auto second = parse_cpu_group("0::/user.slice\n");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->version, 2);
  EXPECT_EQ(second->path, "/user.slice");
  EXPECT_FALSE(parse_cpu_group("5:memory:/m\n2:cpuacct:/a\n"));
  EXPECT_FALSE(parse_cpu_group("1:cpu:relative\n"));
  EXPECT_FALSE(parse_cpu_group("1:cpu:/../../etc\n"));
  EXPECT_FALSE(parse_cpu_group("garbage"));
}

TEST(Surroundings, cpu_time_of_a_process_stands_behind_its_name_whatever_that_holds) {
  EXPECT_EQ(parse_process_ticks("7 (a) S 1 7 7 0 -1 4194304 100 0 0 0 30 12 0 0 20"), 42U);
  EXPECT_EQ(parse_process_ticks("7 (x) 9 9 9 (y)) S 1 7 7 0 -1 4194304 100 0 0 0 30 12 0"), 42U);
  EXPECT_FALSE(parse_process_ticks("7 (a) S 1 7"));
  EXPECT_FALSE(parse_process_ticks("no name"));
}

RC_GTEST_PROP(Surroundings, any_text_is_read_without_harm, (const std::string& text)) {
  const std::array<unsigned, 2> both{0, 1};
  (void)parse_cpu_use(text, both);
  (void)parse_run_queue_wait(text);
  (void)parse_throttled(text);
  (void)parse_cpu_group(text);
  (void)parse_process_ticks(text);
}

SurroundingsSample sample(std::uint64_t total, std::uint64_t used, double own, double target) {
  SurroundingsSample s;
  s.cpus = CpuTimes{total, used, total / 100};
  s.own_cpu_s = own;
  s.target_cpu_s = target;
  s.throttled = total / 1000;
  s.clocks = {static_cast<std::int64_t>(total) * 5'000'000,
              static_cast<std::int64_t>(total) * 5'000'000, 77};
  return s;
}

TEST(Surroundings, what_others_used_is_what_neither_we_nor_our_target_did) {
  const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  Conduct conduct;
  compare_surroundings(sample(1000, 100, 0, 0), sample(2000, 400, 100 * tick, 150 * tick), conduct);
  EXPECT_NEAR(*conduct.foreign_ratio, 0.05, 1e-9);
  EXPECT_NEAR(*conduct.steal_ratio, 0.01, 1e-9);
  EXPECT_EQ(conduct.throttled, 1U);
  EXPECT_EQ(conduct.clock_drift_ppm, 0);
}

TEST(Surroundings, what_one_look_did_not_see_is_unknown) {
  SurroundingsSample before = sample(1000, 100, 0, 0);
  SurroundingsSample after = sample(2000, 400, 1, 1);
  after.throttled.reset();
  after.cpus.reset();
  Conduct conduct;
  compare_surroundings(before, after, conduct);
  EXPECT_FALSE(conduct.throttled);
  EXPECT_FALSE(conduct.steal_ratio);
  EXPECT_FALSE(conduct.foreign_ratio);
  EXPECT_TRUE(conduct.clock_drift_ppm);
}

TEST(Surroundings, a_clock_that_runs_off_and_one_that_steps_are_told_apart) {
  SurroundingsSample before, after;
  before.clocks = {1'000'000'000, 1'000'000'000, 5'000'000'000};
  after.clocks = {2'000'100'000, 2'000'000'000, 6'000'100'000};
  Conduct conduct;
  compare_surroundings(before, after, conduct);
  EXPECT_NEAR(*conduct.clock_drift_ppm, 100, 1e-6);
  EXPECT_EQ(conduct.clock_step_ns, 0);
  after.clocks.real -= 3'000'000;
  compare_surroundings(before, after, conduct);
  EXPECT_EQ(conduct.clock_step_ns, 3'000'000);
}

TEST(Surroundings, of_this_machine_can_be_looked_at) {
  const std::array<pid_t, 1> self{this_thread_id()};
  const SurroundingsSample seen = sample_surroundings(::getpid(), self);
  EXPECT_TRUE(seen.cpus);
  EXPECT_TRUE(seen.own_cpu_s);
  EXPECT_TRUE(seen.target_cpu_s);
  ASSERT_EQ(seen.run_queue_wait_ns.size(), 1U);
  ASSERT_TRUE(clock_resolution_ns());
  // Of 200 readings no two in steps that differ by less would be a clock of another kind.
  if (clock_source() == "tsc") {
    EXPECT_LT(*clock_resolution_ns(), 10);
  }
  EXPECT_FALSE(run_queue_wait_of(0));
}

}  // namespace
}  // namespace volley
