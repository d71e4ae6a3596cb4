// What was meant by a word that is none of the words there are. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace volley {

// Insertions, deletions, changes and swaps of neighbours that make one word of the other (the
// restricted Damerau-Levenshtein distance). Takes time and memory of |a| * |b|.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// Those of the candidates that are a typing error or two away from `word`, the closest first and
// otherwise in their order, at most `most` of them. None for a word above 64 characters.
[[nodiscard]] std::vector<std::string> near_words(std::string_view word,
                                                  const std::vector<std::string>& candidates,
                                                  std::size_t most);

}  // namespace volley
