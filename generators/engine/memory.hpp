// What memory this process, a child of it and the kernel's sockets take: looked at before and after
// connections are opened, the growth is what they cost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "reports/measure/record.hpp"

namespace volley {

// Bytes; none: could not be read.
struct MemorySample {
  std::optional<std::uint64_t> own;     // anonymous memory of this process that is resident
  std::optional<std::uint64_t> target;  // likewise of the target, where it is our child
  std::optional<std::uint64_t> kernel;  // sockets and what hangs on them; needs root
};
[[nodiscard]] MemorySample sample_memory(std::optional<pid_t> target);

// Gives memory that this process has freed back to the kernel, so that what an earlier run left
// behind does not hide what the next one takes.
void return_freed_memory();

// The growth per connection: `connections` were opened, `held_at_end` of them were open at `end`.
// `before` they were opened, `opened` right after it (what the generator keeps for each is made by
// then), `end`: before they were closed; none: the run did not get there.
[[nodiscard]] ConnectionMemory memory_per_connection(const MemorySample& before,
                                                     const MemorySample& opened,
                                                     const std::optional<MemorySample>& end,
                                                     std::uint64_t connections,
                                                     std::uint64_t held_at_end);

// "Anonymous:  116 kB" of /proc/PID/smaps_rollup: exact, where VmRSS is an estimate and counts the
// pages of the program's own code.
[[nodiscard]] std::optional<std::uint64_t> parse_anonymous(std::string_view smaps_rollup);
// Of /proc/slabinfo: the objects that sockets, their files and their places in epoll sets are made
// of. None: no such text.
[[nodiscard]] std::optional<std::uint64_t> parse_socket_slabs(std::string_view slabinfo,
                                                              std::uint64_t page_bytes);

}  // namespace volley
