// The line a person watches: one per interval, on stderr, written by the thread that keeps the time
// and never by one that sends.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "generators/engine/run.hpp"

namespace volley {

enum class ProgressMode : std::uint8_t {
  automatic,  // one line that is rewritten, when stderr is a terminal; nothing otherwise
  plain,      // a line each
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
  // A word on where things stand; shown as show() would be.
  void milestone(std::string_view text);
  // A line of its own, also while a line is being rewritten.
  void note(std::string_view text);
  void warn(std::string_view text);
  // Clears a line that is being rewritten.
  void finish();

 private:
  std::FILE* to_;
  bool rewrite_;
  bool plain_;
  bool quiet_;
  bool dirty_ = false;  // a rewritten line stands on the terminal
};

// Hooks that show a run on `line`, which must outlive them.
[[nodiscard]] RunHooks hooks_of(ProgressLine& line);

}  // namespace volley
