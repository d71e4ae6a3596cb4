// A peer's address as a small key, and the keyed hash that makes cookies from it.
//
// A cookie proves that its sender receives what is sent to its address: only this process, which
// holds the random key, can make one. The hash is SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT
// 2012), made for short inputs that an attacker chooses; tables of peers use it too, so that nobody
// can fill one bucket on purpose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "targets/wire/address.hpp"

namespace volley {

using HashKey = std::array<std::uint64_t, 2>;

// From the kernel's random source.
[[nodiscard]] HashKey random_hash_key();

[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, std::span<const std::byte> bytes);

// A peer, and a session of it where that matters.
struct PeerKey {
  std::array<std::byte, 16> ip{};  // IPv4 in the first four
  std::uint32_t scope = 0;         // IPv6 interface
  std::uint32_t session = 0;
  std::uint16_t port = 0;
  std::uint16_t family = 0;
  // Of what has no padding the bytes will do; one after another they took half of a look-up.
  friend bool operator==(const PeerKey& a, const PeerKey& b) {
    return std::memcmp(&a, &b, sizeof(PeerKey)) == 0;
  }
};
static_assert(std::has_unique_object_representations_v<PeerKey>);
[[nodiscard]] PeerKey peer_key(const Address& peer, std::uint32_t session = 0);
[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, const PeerKey& peer);

// Never 0, which means "no cookie" on the wire.
[[nodiscard]] std::uint64_t cookie_of(const HashKey& key, const Address& peer);
// Compares in a time that says nothing about how many bits are right.
[[nodiscard]] bool cookie_is_valid(const HashKey& key, const Address& peer, std::uint64_t cookie);

}  // namespace volley
