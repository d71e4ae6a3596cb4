// What volley doctor says about one property of a machine. Plain values, so that the one who judges
// and the one who writes need not know each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace volley {

enum class FindingLevel : std::uint8_t {
  ok,    // nothing to do
  note,  // changes results, but may well be as it should
  warn,  // spoils results
};

[[nodiscard]] constexpr std::string_view to_string(FindingLevel level) {
  switch (level) {
    case FindingLevel::ok:
      return "ok";
    case FindingLevel::note:
      return "note";
    case FindingLevel::warn:
      return "warn";
  }
  return "";
}

struct Finding {
  std::string id;  // a stable word: "descriptors", "receive_buffer" …
  FindingLevel level = FindingLevel::ok;
  std::string found;   // what there is, with its unit
  std::string spoils;  // what it does to results; empty when ok
  std::string fix;     // what to do about it; empty when ok or when nothing can be done
};

}  // namespace volley
