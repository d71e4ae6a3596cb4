#include "reports/judge/spelling.hpp"

#include <algorithm>
#include <utility>

namespace volley {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::vector<std::string> near_words(std::string_view word,
                                    const std::vector<std::string>& candidates, std::size_t most) {
  constexpr std::size_t longest = 64;  // no typing error, and dear to compare
  if (word.empty() || word.size() > longest) return {};
  const std::size_t farthest = word.size() < 6 ? 1 : 2;
  std::vector<std::pair<std::size_t, const std::string*>> near;
  for (const std::string& candidate : candidates)
    if (const std::size_t d = edit_distance(word, candidate); d <= farthest)
      near.emplace_back(d, &candidate);
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> words;
  for (const auto& [d, candidate] : near)
    if (words.size() < most) words.push_back(*candidate);
  return words;
}

}  // namespace volley
