// Base64 (RFC 4648 section 4), with padding and without line breaks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace volley {

[[nodiscard]] std::string encode_base64(std::span<const std::uint8_t> bytes);
// None for any other character, missing padding, or bits set behind the last byte: there is one
// text for each sequence of bytes.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace volley
