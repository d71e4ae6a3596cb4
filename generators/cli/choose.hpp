// One of some words on the command line.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "reports/measure/ensure.hpp"

namespace volley {

// The value of the word that `text` is. Throws UsageError, which lists the words.
template <typename T, std::size_t N>
[[nodiscard]] T choose(std::string_view subject, std::string_view text,
                       const std::array<std::pair<std::string_view, T>, N>& words) {
  std::string allowed;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : " ", word);
  }
  throw UsageError(
      fmt::format("{}: no such choice ({}) [{}]; choose one of these", subject, text, allowed));
}

}  // namespace volley
