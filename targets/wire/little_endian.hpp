// Whole numbers as they stand on the wire. For the codecs of this folder only.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace volley {

// The wire is little-endian; on such a host both functions are one plain load or store.
template <std::unsigned_integral T>
[[nodiscard]] T swap_on_big_endian(T value) {
  if constexpr (std::endian::native == std::endian::big) {
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      swapped = static_cast<T>((swapped << 8U) | ((value >> (8U * i)) & 0xFFU));
    }
    return swapped;
  } else {
    return value;
  }
}

template <std::unsigned_integral T>
[[nodiscard]] T load_little(std::span<const std::byte> from, std::size_t offset) {
  T value = 0;
  std::memcpy(&value, from.data() + offset, sizeof value);
  return swap_on_big_endian(value);
}

template <std::unsigned_integral T>
void store_little(T value, std::span<std::byte> to, std::size_t offset) {
  value = swap_on_big_endian(value);
  std::memcpy(to.data() + offset, &value, sizeof value);
}

}  // namespace volley
