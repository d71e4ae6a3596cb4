#include "targets/serve/cookie.hpp"

#include <sys/random.h>

#include <bit>
#include <cstring>
#include <random>

namespace volley {
namespace {

struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

// Up to eight bytes, the first one lowest.
std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return word;
}

}  // namespace

HashKey random_hash_key() {
  HashKey key{};
  if (getrandom(key.data(), sizeof key, 0) == static_cast<ssize_t>(sizeof key)) return key;
  // Only kernels without getrandom come here; the device behind this asks the same source.
  std::random_device device;
  for (auto& half : key) half = (std::uint64_t{device()} << 32U) | device();
  return key;
}

std::uint64_t keyed_hash(const HashKey& key, std::span<const std::byte> bytes) {
  // The four constants are the ASCII text "somepseudorandomlygeneratedbytes", as in the paper.
  SipState s{.a = key[0] ^ 0x736F6D6570736575U,
             .b = key[1] ^ 0x646F72616E646F6DU,
             .c = key[0] ^ 0x6C7967656E657261U,
             .d = key[1] ^ 0x7465646279746573U};
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) s.take(little_endian(bytes.subspan(at, 8)));
  s.take(little_endian(bytes.subspan(at)) | (std::uint64_t{bytes.size()} << 56U));
  s.c ^= 0xFFU;
  for (int i = 0; i < 4; ++i) s.round();
  return s.a ^ s.b ^ s.c ^ s.d;
}

PeerKey peer_key(const Address& peer, std::uint32_t session) {
  PeerKey key;
  key.session = session;
  key.port = peer.port();
  key.family = static_cast<std::uint16_t>(peer.family());
  if (peer.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, peer.data(), sizeof v4);
    std::memcpy(key.ip.data(), &v4.sin_addr, sizeof v4.sin_addr);
  } else if (peer.family() == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, peer.data(), sizeof v6);
    std::memcpy(key.ip.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    key.scope = v6.sin6_scope_id;
  }
  return key;
}

std::uint64_t keyed_hash(const HashKey& key, const PeerKey& peer) {
  return keyed_hash(key, std::as_bytes(std::span(&peer, 1)));
}

std::uint64_t cookie_of(const HashKey& key, const Address& peer) {
  const std::uint64_t hash = keyed_hash(key, peer_key(peer));
  return hash == 0 ? 1 : hash;
}

bool cookie_is_valid(const HashKey& key, const Address& peer, std::uint64_t cookie) {
  return (cookie_of(key, peer) ^ cookie) == 0;
}

}  // namespace volley
