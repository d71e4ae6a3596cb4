// Memory, read from /proc. One idea: only what belongs to connections is added up, because the rest
// of the machine goes on allocating meanwhile.
#include "generators/engine/memory.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "generators/engine/host.hpp"

namespace volley {
namespace {

// Rows of /proc/slabinfo that grow with sockets and with little else. A row that a kernel lacks
// (caches of one size may be merged) adds nothing.
constexpr std::array<std::string_view, 15> kSocketSlabs{"TCP",
                                                        "TCPv6",
                                                        "UDP",
                                                        "UDPv6",
                                                        "sock_inode_cache",
                                                        "filp",
                                                        "lsm_file_cache",
                                                        "eventpoll_epi",
                                                        "eventpoll_pwq",
                                                        "request_sock_TCP",
                                                        "tcp_bind_bucket",
                                                        "tcp_bind2_bucket",
                                                        "skbuff_head_cache",
                                                        "skbuff_small_head",
                                                        "skbuff_fclone_cache"};

// The next word of a line, taken off its front; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::optional<std::uint64_t> number_of(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> process_bytes(const std::string& pid) {
  const auto text = read_fact(fmt::format("/proc/{}/smaps_rollup", pid));
  return text ? parse_anonymous(*text) : std::nullopt;
}

std::optional<std::uint64_t> kernel_bytes() {
  const auto text = read_fact("/proc/slabinfo");
  return text ? parse_socket_slabs(*text, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)))
              : std::nullopt;
}

std::optional<double> growth(const std::optional<std::uint64_t>& from,
                             const std::optional<std::uint64_t>& to, std::uint64_t connections) {
  if (!from || !to || connections == 0) return std::nullopt;
  // Freed meanwhile: the connections then took nothing that was not there before.
  const double bytes = static_cast<double>(*to) - static_cast<double>(*from);
  return std::round(std::max(0.0, bytes) / static_cast<double>(connections) * 10.0) / 10.0;
}

}  // namespace

MemorySample sample_memory(std::optional<pid_t> target) {
  MemorySample sample;
  sample.kernel = kernel_bytes();
  if (target) sample.target = process_bytes(std::to_string(*target));
  // Last, because reading the others takes memory, the first time.
  sample.own = process_bytes("self");
  return sample;
}

void return_freed_memory() { (void)malloc_trim(0); }

ConnectionMemory memory_per_connection(const MemorySample& before, const MemorySample& opened,
                                       const std::optional<MemorySample>& end,
                                       std::uint64_t connections, std::uint64_t held_at_end) {
  const MemorySample& last = end ? *end : opened;
  return {.generator_bytes = growth(before.own, opened.own, connections),
          .target_bytes = growth(before.target, last.target, connections),
          .kernel_bytes = growth(before.kernel, last.kernel, end ? held_at_end : connections)};
}

std::optional<std::uint64_t> parse_anonymous(std::string_view smaps_rollup) {
  constexpr std::uint64_t kKibi = 1024;
  while (!smaps_rollup.empty()) {
    std::string_view line = take_line(smaps_rollup);
    if (take_word(line) != "Anonymous:") continue;
    const auto kibi = number_of(take_word(line));
    return kibi ? std::optional(*kibi * kKibi) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_socket_slabs(std::string_view slabinfo,
                                                std::uint64_t page_bytes) {
  if (!slabinfo.starts_with("slabinfo")) return std::nullopt;
  std::uint64_t bytes = 0;
  std::uint64_t sockets = 0;
  std::uint64_t dentry_bytes = 0;
  while (!slabinfo.empty()) {
    std::string_view line = take_line(slabinfo);
    const std::string_view name = take_word(line);
    const bool counts =
        std::find(kSocketSlabs.begin(), kSocketSlabs.end(), name) != kSocketSlabs.end();
    if (!counts && name != "dentry") continue;
    // name active_objs num_objs objsize objperslab pagesperslab
    const auto active = number_of(take_word(line));
    (void)take_word(line);
    (void)take_word(line);
    const auto objects = number_of(take_word(line));
    const auto pages = number_of(take_word(line));
    if (!active || !objects || !pages || *objects == 0) return std::nullopt;
    // An object's share of its slab, which is more than its size.
    if (counts) bytes += *active * *pages * page_bytes / *objects;
    if (name == "sock_inode_cache") sockets = *active;
    if (name == "dentry") dentry_bytes = *pages * page_bytes / *objects;
  }
  // Every socket has one; most of the others belong to files, which come and go.
  return bytes + sockets * dentry_bytes;
}

}  // namespace volley
