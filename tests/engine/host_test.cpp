// The facts of this machine: what must be there on any Linux, and how text of the kernel is read.
#include "generators/engine/host.hpp"
#include "targets/wire/tuning.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <span>
#include <thread>
#include <vector>

namespace volley {
namespace {

TEST(Host, facts_have_distinct_keys_and_no_empty_values) {
  std::set<std::string> keys;
  for (const auto& [key, value] : host_facts()) {
    EXPECT_TRUE(keys.insert(key).second) << key;
    EXPECT_FALSE(value.empty()) << key;
  }
  for (const char* key : {"kernel", "cpus_allowed", "descriptors_soft", "load_1m", "build"}) {
    EXPECT_TRUE(keys.contains(key)) << key;
  }
}

TEST(Host, allowed_cpus_are_those_of_the_affinity_mask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const std::vector<unsigned> all = allowed_cpus();
  ASSERT_FALSE(all.empty());
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(all.size(), static_cast<std::size_t>(CPU_COUNT(&before)));

  std::vector<unsigned> pinned;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(all.back(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    pinned = allowed_cpus();
  }).join();
  EXPECT_EQ(pinned, std::vector<unsigned>{all.back()});
}

TEST(Host, a_fact_is_trimmed_and_one_that_cannot_be_read_is_absent) {
  const std::string path = testing::TempDir() + "volley_fact_" + std::to_string(getpid());
  std::ofstream(path) << " \n two words\t\n\n";
  EXPECT_EQ(read_fact(path), "two words");
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(read_fact(path), std::nullopt);
  EXPECT_EQ(read_fact("/proc"), std::nullopt);
}

TEST(Host, cpu_times_add_up_without_the_guest_columns) {
  const auto times = parse_cpu_times("cpu  1 2 3 4 5 6 7 8 100 200");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total, 36U);
  EXPECT_EQ(times->steal, 8U);
}

TEST(Host, a_line_without_its_columns_has_no_cpu_times) {
  for (const char* line : {"", "cpu", "cpu  ", "cpu  1 2 3", "cpu  1 2 3 4 x 6 7 8",
                           "1 2 3 4 5 6 7", "cpu  -1 2 3 4 5 6 7 8"}) {
    EXPECT_FALSE(parse_cpu_times(line)) << line;
  }
}

TEST(Host, cpu_times_run_backwards_by_no_more_than_rounding) {
  const auto before = cpu_times();
  const auto after = cpu_times();
  ASSERT_TRUE(before && after);
  EXPECT_GT(before->total, 0U);
  // The kernel cuts each of eight columns to ticks by itself, and an idle span may change its
  // column.
  EXPECT_GE(after->total + 8, before->total);
}

TEST(Host, a_thread_that_stays_off_cpus_gets_them_back_and_always_has_one) {
  const std::vector<unsigned> all = allowed_cpus();
  std::vector<unsigned> off_the_first;
  std::vector<unsigned> off_all;
  std::vector<unsigned> afterwards;
  std::thread([&] {
    {
      const StayOff away({all.data(), 1});
      off_the_first = allowed_cpus();
    }
    {
      const StayOff away(all);
      off_all = allowed_cpus();
    }
    afterwards = allowed_cpus();
  }).join();
  if (all.size() > 1)
    EXPECT_EQ(off_the_first, std::vector<unsigned>(all.begin() + 1, all.end()));
  else
    EXPECT_EQ(off_the_first, all);
  EXPECT_EQ(off_all, all);
  EXPECT_EQ(afterwards, all);
}

TEST(Host, a_thread_can_have_a_descriptor_table_of_its_own) {
  int opened = -1;
  std::thread([&] {
    own_descriptor_table();
    opened = eventfd(0, 0);
    EXPECT_EQ(fcntl(opened, F_GETFD), 0);
  }).join();
  ASSERT_GE(opened, 0);
  EXPECT_EQ(fcntl(opened, F_GETFD), -1);  // unknown here, and closed with the thread
}

TEST(Host, the_cpu_of_a_connection_is_the_one_its_peer_came_from) {
  for (const unsigned cpu : allowed_cpus()) {
    Descriptor listening;
    ASSERT_EQ(open_listener(Protocol::tcp, Address::v4(0x7F000001, 0), {}, listening), 0);
    std::thread([&] {
      ASSERT_EQ(pin_this_thread(cpu), 0);
      Descriptor client;
      ASSERT_EQ(open_socket(Protocol::tcp, AF_INET, client), 0);
      ASSERT_EQ(start_connect(client, local_address(listening)), EINPROGRESS);
      pollfd wait{.fd = client.get(), .events = POLLOUT, .revents = 0};
      ASSERT_EQ(poll(&wait, 1, 10'000), 1);
    }).join();
    const Descriptor accepted(accept4(listening.get(), nullptr, nullptr, 0));
    EXPECT_EQ(incoming_cpu(accepted), cpu);
  }
  EXPECT_EQ(incoming_cpu(Descriptor{}), std::nullopt);
}

TEST(CpuList, cpus_in_a_row_are_a_range) {
  const auto list = [](std::vector<unsigned> cpus) { return cpu_list(cpus); };
  EXPECT_EQ(list({}), "");
  EXPECT_EQ(list({3}), "3");
  EXPECT_EQ(list({0, 1}), "0-1");
  EXPECT_EQ(list({0, 2, 3, 4, 7}), "0,2-4,7");
}

}  // namespace
}  // namespace volley
