#include "generators/cli/progress.hpp"

#include <fmt/format.h>

#include "generators/cli/standard_streams.hpp"
#include "reports/measure/units.hpp"

namespace volley {

std::string progress_text(const Progress& progress) {
  const auto time = [](std::optional<Nanos> t) {
    return t ? format_duration(*t) : std::string("-");
  };
  std::string text = fmt::format("{:<8} {:>5.1f} s", progress.phase, to_seconds(progress.elapsed));
  text += fmt::format("  offered {}", format_rate(progress.offered_per_s));
  if (progress.intended_per_s) text += fmt::format(" of {}", format_rate(*progress.intended_per_s));
  text += fmt::format("  achieved {}  p50 {}  p99 {}  lost {}",
                      format_rate(progress.achieved_per_s), time(progress.response_p50),
                      time(progress.response_p99), format_count(progress.lost));
  if (progress.errors != 0) text += fmt::format("  errors {}", format_count(progress.errors));
  if (progress.left) text += fmt::format("  {:.1f} s left", to_seconds(*progress.left));
  return text;
}

ProgressLine::ProgressLine(std::FILE* to, ProgressMode mode, bool terminal, bool quiet)
    : to_(to),
      rewrite_(!quiet && mode == ProgressMode::automatic && terminal),
      plain_(!quiet && mode == ProgressMode::plain),
      quiet_(quiet) {}

void ProgressLine::show(const Progress& progress) { milestone(progress_text(progress)); }

void ProgressLine::milestone(std::string_view text) {
  if (plain_) {
    tell(to_, fmt::format("{}\n", text));
  } else if (rewrite_) {
    // Without wrapping at the edge of a narrow terminal, because a second row could not be
    // rewritten.
    tell(to_, fmt::format("\r\x1b[?7l{}\x1b[K\x1b[?7h", text));
    dirty_ = true;
  }
}

void ProgressLine::note(std::string_view text) {
  if (quiet_) return;
  finish();
  tell(to_, fmt::format("{}\n", text));
}

void ProgressLine::warn(std::string_view text) { note(fmt::format("warning: {}", text)); }

void ProgressLine::finish() {
  if (!dirty_) return;
  tell(to_, "\r\x1b[K");
  dirty_ = false;
}

RunHooks hooks_of(ProgressLine& line) {
  RunHooks hooks;
  hooks.on_interval = [&line](const Progress& progress) { line.show(progress); };
  hooks.on_warning = [&line](const std::string& text) { line.warn(text); };
  return hooks;
}

}  // namespace volley
