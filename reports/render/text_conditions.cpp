#include "reports/render/text_conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/render/words.hpp"

namespace volley {
namespace {

// What came as it was asked stands among the options already, and what is usual would only hide
// the rest.
bool is_worth_a_word(const Condition& condition) {
  static constexpr std::array<std::string_view, 4> usual{"0", "unlimited", "off", "not used"};
  if (!condition.effective) return false;
  // As they are shown: what is no text in them is not saved either.
  if (condition.asked && printable(*condition.asked) == printable(*condition.effective))
    return false;
  const bool free = !condition.asked || condition.asked == "auto";
  return !free || std::find(usual.begin(), usual.end(), *condition.effective) == usual.end();
}

}  // namespace

std::string conditions_text(const RunReport& run) {
  std::string words;
  for (const Condition& condition : run.conditions) {
    if (!is_worth_a_word(condition)) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", printable(condition.name),
                         printable(*condition.effective));
    if (condition.asked) words += fmt::format(" (asked: {})", printable(*condition.asked));
  }
  return words.empty() ? "" : wrapped("in fact   ", words);
}

}  // namespace volley
