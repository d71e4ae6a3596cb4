// The line a person watches, on stderr: drawn at the end of an interval and at most ten times a
// second, by the thread that keeps the time and never by one that sends.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generators/engine/run.hpp"

namespace volley {

enum class ProgressMode : std::uint8_t {
  automatic,  // one line that is drawn again, when stderr is a terminal; nothing otherwise
  plain,      // a line an interval
  none,
};

// "measure  3.0 s  offered 1,000/s of 1,000/s  achieved 998/s  p50 41.2 us  p99 80.1 us  lost
// 0  7.0 s left"
[[nodiscard]] std::string progress_text(const Progress& progress);

class ProgressLine {
 public:
  // Writes to `to`, which must outlive it. `quiet`: neither progress nor warnings.
  ProgressLine(std::FILE* to, ProgressMode mode, bool terminal, bool quiet);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { finish(); }

  void show(const Progress& progress);
  // A word on where things stand: a new run begins.
  void milestone(std::string_view text);
  // A line of its own, also while a line is being rewritten.
  void note(std::string_view text);
  void warn(std::string_view text);
  // Clears a line that is being rewritten.
  void finish();

 private:
  void draw(const std::string& line);

  std::FILE* to_;
  bool rewrite_;
  bool plain_;
  bool quiet_;
  std::size_t drawn_ = 0;                     // cells of the line on the terminal; 0: none
  std::string milestone_;                     // before each line, while there is room
  std::vector<std::optional<Nanos>> course_;  // p99 of the intervals
  MonoTime drawn_at_{};
};

// Hooks that show a run on `line`, which must outlive them.
[[nodiscard]] RunHooks hooks_of(ProgressLine& line);

}  // namespace volley
