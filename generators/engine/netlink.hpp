// Questions to the kernel's rtnetlink, and its answers taken apart. Their one idea: an answer is
// bytes like any other, so every length in it is held against what is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "targets/wire/socket.hpp"

namespace volley {

// A value of type T at the start of `bytes`; what is aligned as the kernel wrote it need not be so
// here. None: there are fewer bytes.
template <class T>
[[nodiscard]] std::optional<T> value_at(std::span<const std::byte> bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// What follows a head of so many bytes and its padding; empty: nothing.
[[nodiscard]] std::span<const std::byte> behind(std::span<const std::byte> bytes, std::size_t head);

// The payload of the first attribute of a type among those that fill `bytes`.
[[nodiscard]] std::optional<std::span<const std::byte>> find_attribute(
    std::span<const std::byte> bytes, std::uint16_t type);

// A message without its netlink header.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::span<const std::byte> body;
};
// Takes the first message off `bytes`; none: what is there is no whole message.
[[nodiscard]] std::optional<NetlinkMessage> take_message(std::span<const std::byte>& bytes);

// A socket to rtnetlink that has been asked, and whose answers are waited for, a second each. Not
// open: there is none to be had (a sandbox), or it did not take the question. `type`: RTM_GETROUTE
// and the like; `flags` beside NLM_F_REQUEST; `body`: what stands behind the netlink header.
[[nodiscard]] Descriptor ask_rtnetlink(std::uint16_t type, std::uint16_t flags,
                                       std::span<const std::byte> body);
// Asked for all qdiscs of all interfaces.
[[nodiscard]] Descriptor ask_for_qdiscs();
inline constexpr int kMostQdiscAnswers = 1024;  // some ten qdiscs each
// The next answer; it may hold several messages. Empty: none came.
[[nodiscard]] std::vector<std::byte> next_answer(const Descriptor& asked);

}  // namespace volley
