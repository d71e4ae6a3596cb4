#include "generators/cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cstdlib>

#include "generators/cli/progress_picture.hpp"
#include "generators/cli/standard_streams.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr Nanos kLeastPause = std::chrono::milliseconds(100);
constexpr std::size_t kMostCourse = 60;
constexpr std::size_t kLeastPicture = 40;

// Empty: it is not set.
std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// By the first of the variables that decide it.
bool writes_utf8() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    for (const char* const word : {"UTF-8", "UTF8", "utf-8", "utf8"})
      if (value.find(word) != std::string_view::npos) return true;
    return false;
  }
  return false;
}

// As it is now: a window may have been made wider or narrower.
TerminalStyle style_of(std::FILE* to) {
  TerminalStyle style;
  winsize size{};
  if (::ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.columns = size.ws_col;
  style.unicode = writes_utf8();
  style.colour = variable("NO_COLOR").empty();
  return style;
}

}  // namespace

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

void ProgressLine::show(const Progress& progress) {
  if (plain_) tell(to_, fmt::format("{}\n", progress_text(progress)));
  if (!rewrite_) return;
  course_.push_back(progress.response_p99);
  if (course_.size() > kMostCourse) course_.erase(course_.begin());
  const MonoTime now = mono_now();
  if (drawn_ > 0 && now - drawn_at_ < kLeastPause) return;
  drawn_at_ = now;
  TerminalStyle style = style_of(to_);
  const std::size_t before = milestone_.empty() ? 0 : milestone_.size() + 2;
  const bool fits = style.columns > before + kLeastPicture;
  if (fits) style.columns -= before;
  const std::string picture = progress_picture(progress, course_, style);
  draw(fits && before > 0 ? fmt::format("{}  {}", milestone_, picture) : picture);
}

void ProgressLine::milestone(std::string_view text) {
  if (plain_) tell(to_, fmt::format("{}\n", text));
  if (!rewrite_) return;
  milestone_ = text;
  course_.clear();
}

void ProgressLine::draw(const std::string& line) {
  // A terminal that got narrower has wrapped what stood there: begin in its first row.
  const std::size_t columns = style_of(to_).columns;
  const std::size_t rows_above = drawn_ > columns ? (drawn_ - 1) / columns : 0;
  const std::string up = rows_above > 0 ? fmt::format("\x1b[{}A", rows_above) : std::string();
  tell(to_, fmt::format("\r{}\x1b[J{}", up, line));
  drawn_ = cells_of(line);
}

void ProgressLine::note(std::string_view text) {
  if (quiet_) return;
  finish();
  tell(to_, fmt::format("{}\n", text));
}

void ProgressLine::warn(std::string_view text) { note(fmt::format("warning: {}", text)); }

void ProgressLine::finish() {
  if (drawn_ == 0) return;
  draw("");
  drawn_ = 0;
}

RunHooks hooks_of(ProgressLine& line) {
  RunHooks hooks;
  hooks.on_interval = [&line](const Progress& progress) { line.show(progress); };
  hooks.on_warning = [&line](const std::string& text) { line.warn(text); };
  hooks.on_abandon = [&line] { line.finish(); };
  return hooks;
}

}  // namespace volley
