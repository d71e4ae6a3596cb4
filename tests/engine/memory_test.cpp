// What is read of memory, and what a connection is said to cost.
#include "generators/engine/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace volley {
namespace {

TEST(Memory, anonymous_pages_are_read_in_bytes) {
  EXPECT_EQ(parse_anonymous("1-2 ---p 0 00:00 0 [rollup]\nRss:   1796 kB\nAnonymous:   116 kB\n"),
            116U * 1024U);
  EXPECT_EQ(parse_anonymous("Rss: 1796 kB\n"), std::nullopt);
  EXPECT_EQ(parse_anonymous("Anonymous: many kB\n"), std::nullopt);
  EXPECT_EQ(parse_anonymous(""), std::nullopt);
}

TEST(Memory, slabs_of_sockets_are_added_up_by_their_share_of_a_slab) {
  const char* const text =
      "slabinfo - version: 2.1\n"
      "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
      "TCP                   10     26   2496   13    8 : tunables    0    0    0\n"
      "tw_sock_TCP           77     77    256   16    1 : tunables    0    0    0\n"
      "dentry             76890  77049    192   21    1 : tunables    0    0    0\n"
      "sock_inode_cache      20     38    832   19    4 : tunables    0    0    0\n";
  // 10 of 13 in 8 pages, 20 of 19 in 4, and a dentry for each of these.
  const std::uint64_t expected = 10 * 8 * 4096 / 13 + 20 * 4 * 4096 / 19 + 20 * (4096 / 21);
  EXPECT_EQ(parse_socket_slabs(text, 4096), expected);
  EXPECT_EQ(parse_socket_slabs("", 4096), std::nullopt);
  EXPECT_EQ(parse_socket_slabs("slabinfo - version: 2.1\nTCP 10 26\n", 4096), std::nullopt);
  EXPECT_EQ(parse_socket_slabs("slabinfo - version: 2.1\nTCP 1 1 1 0 1\n", 4096), std::nullopt);
}

TEST(Memory, a_connection_costs_the_growth_by_their_number) {
  const MemorySample before{.own = 1000, .target = 5000, .kernel = std::nullopt};
  const MemorySample opened{.own = 11'000, .target = 5000, .kernel = std::nullopt};
  const MemorySample end{.own = 90'000, .target = 55'050, .kernel = 7};
  const ConnectionMemory cost = memory_per_connection(before, opened, end, 100, 90);
  EXPECT_EQ(cost.generator_bytes, 100.0) << "what a run takes later is no connection's";
  EXPECT_EQ(cost.target_bytes, 500.5);
  EXPECT_EQ(cost.kernel_bytes, std::nullopt);
  EXPECT_EQ(memory_per_connection(before, opened, std::nullopt, 100, 0).target_bytes, 0.0);
  EXPECT_EQ(memory_per_connection(opened, before, std::nullopt, 100, 0).generator_bytes, 0.0);
  EXPECT_EQ(memory_per_connection(before, opened, end, 0, 0).generator_bytes, std::nullopt);
}

TEST(Memory, the_kernels_part_is_of_those_that_are_open_at_the_end) {
  const MemorySample before{.own = {}, .target = {}, .kernel = 1000};
  const MemorySample opened{.own = {}, .target = {}, .kernel = 9000};
  const MemorySample end{.own = {}, .target = {}, .kernel = 5000};
  EXPECT_EQ(memory_per_connection(before, opened, end, 8, 4).kernel_bytes, 1000.0);
  EXPECT_EQ(memory_per_connection(before, opened, end, 8, 0).kernel_bytes, std::nullopt);
  EXPECT_EQ(memory_per_connection(before, opened, std::nullopt, 8, 0).kernel_bytes, 1000.0);
}

TEST(Memory, of_this_process_grows_by_what_is_touched) {
  const MemorySample before = sample_memory(getpid());
  ASSERT_TRUE(before.own);
  ASSERT_TRUE(before.target) << "this process is as good a target as any";
  // Not from the heap, which may have room left over from other tests.
  constexpr std::size_t bytes = std::size_t{8} << 20U;
  void* const fresh =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(fresh, MAP_FAILED);
  std::memset(fresh, 'x', bytes);
  const MemorySample after = sample_memory(getpid());
  EXPECT_GE(*after.own, *before.own + bytes - (std::size_t{1} << 20U));
  EXPECT_GE(*after.target, *before.target + bytes - (std::size_t{1} << 20U));
  munmap(fresh, bytes);
}

}  // namespace
}  // namespace volley
