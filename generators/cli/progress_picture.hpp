// What the progress of a run looks like on a terminal: one line that fits. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "generators/engine/run.hpp"

namespace volley {

// What the terminal can show.
struct TerminalStyle {
  std::size_t columns = 80;
  bool unicode = false;  // blocks instead of ASCII
  bool colour = false;   // losses and errors in red
};

// "measure  [#####-----] 50 %  10.0 s left  998/s of 1,000/s  p99 80.1 us _-_#_  lost 0". Parts
// that do not fit are left out, the least needed first; at most `columns` - 1 cells, so that no
// terminal wraps it. `course`: p99 of the intervals so far, the last of `progress`; none: an
// interval without an answer.
[[nodiscard]] std::string progress_picture(const Progress& progress,
                                           const std::vector<std::optional<Nanos>>& course,
                                           const TerminalStyle& style);

// One character a value, the highest for the largest of those shown: the last `most`.
[[nodiscard]] std::string sparkline(const std::vector<std::optional<Nanos>>& values,
                                    std::size_t most, bool unicode);

// As many cells as a terminal needs: of UTF-8 characters one each, of colours none.
[[nodiscard]] std::size_t cells_of(std::string_view text);

// `share` from 0 to 1 of `cells` characters.
[[nodiscard]] std::string bar(double share, std::size_t cells, bool unicode);

}  // namespace volley
