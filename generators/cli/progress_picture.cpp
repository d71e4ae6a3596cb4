#include "generators/cli/progress_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::array<const char*, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 8> kSigns{"_", ".", "-", "=", "+", "*", "%", "#"};
constexpr std::size_t kBarCells = 20;
constexpr std::size_t kShortBarCells = 8;
constexpr std::size_t kCourseCells = 30;
constexpr std::size_t kShortCourseCells = 10;

std::string red(const std::string& text, const TerminalStyle& style, bool is_bad) {
  return is_bad && style.colour ? fmt::format("\x1b[31m{}\x1b[0m", text) : text;
}

std::string time_text(const std::optional<Nanos>& time) {
  return time ? format_duration(*time) : std::string("-");
}

// How much of the measure phase has passed; none: its end is not known.
std::optional<double> share_of(const Progress& progress) {
  if (!progress.left || progress.phase != "measure") return std::nullopt;
  const double whole = to_seconds(progress.elapsed) + to_seconds(*progress.left);
  if (whole <= 0) return std::nullopt;
  return std::clamp(to_seconds(progress.elapsed) / whole, 0.0, 1.0);
}

// A part of the line in its long form, its short form, and how soon it is done without: the
// greatest first, 0 never.
struct Part {
  std::string whole, brief;
  unsigned dispensable = 0;
  enum class Form : std::uint8_t { whole, brief, none } form = Form::whole;

  [[nodiscard]] std::string_view text() const {
    return form == Form::none ? std::string_view() : form == Form::whole ? whole : brief;
  }
};

std::string joined_parts(const std::vector<Part>& parts) {
  std::string line;
  for (const Part& part : parts) {
    if (part.text().empty()) continue;
    if (!line.empty()) line += "  ";
    line += part.text();
  }
  return line;
}

// Shortens the most dispensable part first; false: none is left that could be.
bool shorten(std::vector<Part>& parts) {
  Part* most = nullptr;
  for (Part& part : parts)
    if (part.form != Part::Form::none && part.dispensable > 0 &&
        (most == nullptr || part.dispensable > most->dispensable))
      most = &part;
  if (most == nullptr) return false;
  const bool can_be_brief = most->form == Part::Form::whole && !most->brief.empty();
  most->form = can_be_brief ? Part::Form::brief : Part::Form::none;
  return true;
}

// The first `cells` cells, without colours.
std::string cut(std::string_view text, std::size_t cells) {
  std::string kept;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
      continue;
    }
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && used++ == cells) break;
    kept += text[i];
  }
  return kept;
}

}  // namespace

std::size_t cells_of(std::string_view text) {
  std::size_t cells = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
      continue;
    }
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++cells;
  }
  return cells;
}

std::string bar(double share, std::size_t cells, bool unicode) {
  const auto full = static_cast<std::size_t>(
      std::floor(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells)));
  std::string text;
  for (std::size_t i = 0; i < cells; ++i)
    text += i < full ? (unicode ? "█" : "#") : (unicode ? "░" : "-");
  return fmt::format("[{}]", text);
}

std::string sparkline(const std::vector<std::optional<Nanos>>& values, std::size_t most,
                      bool unicode) {
  const std::size_t first = values.size() > most ? values.size() - most : 0;
  std::int64_t largest = 1;
  for (std::size_t i = first; i < values.size(); ++i)
    if (values[i]) largest = std::max(largest, values[i]->count());
  std::string text;
  for (std::size_t i = first; i < values.size(); ++i) {
    if (!values[i]) {
      text += ' ';
      continue;
    }
    const double share = static_cast<double>(values[i]->count()) / static_cast<double>(largest);
    const auto level = static_cast<std::size_t>(
        std::clamp(std::ceil(share * kBlocks.size()) - 1, 0.0, kBlocks.size() - 1.0));
    text += unicode ? kBlocks.at(level) : kSigns.at(level);
  }
  return text;
}

std::string progress_picture(const Progress& progress,
                             const std::vector<std::optional<Nanos>>& course,
                             const TerminalStyle& style) {
  const std::string achieved = format_rate(progress.achieved_per_s);
  const std::string p99 = fmt::format("p99 {}", time_text(progress.response_p99));
  std::vector<Part> parts;
  parts.push_back({progress.phase, {}, 4});
  if (const auto share = share_of(progress)) {
    const std::string percent = fmt::format("{:.0f} %", std::floor(*share * 100));
    const std::string brief =
        fmt::format("{} {}", bar(*share, kShortBarCells, style.unicode), percent);
    parts.push_back(
        {fmt::format("{} {}", bar(*share, kBarCells, style.unicode), percent), brief, 5});
  }
  if (progress.left && progress.phase == "measure")
    parts.push_back({fmt::format("{:.0f} s left", std::ceil(to_seconds(*progress.left))), {}, 3});
  else
    parts.push_back({fmt::format("{:.1f} s", to_seconds(progress.elapsed)), {}, 3});
  parts.push_back({progress.intended_per_s
                       ? fmt::format("{} of {}", achieved, format_rate(*progress.intended_per_s))
                       : achieved,
                   achieved, 2});
  parts.push_back({fmt::format("p50 {}", time_text(progress.response_p50)), {}, 8});
  parts.push_back({p99, {}, 0});
  if (course.size() > 1)
    parts.push_back({sparkline(course, kCourseCells, style.unicode),
                     sparkline(course, kShortCourseCells, style.unicode), 7});
  parts.push_back(
      {red(fmt::format("lost {}", format_count(progress.lost)), style, progress.lost > 0), {}, 1});
  if (progress.errors != 0)
    parts.push_back(
        {red(fmt::format("errors {}", format_count(progress.errors)), style, true), {}, 1});
  const std::size_t room = std::max<std::size_t>(style.columns, 2) - 1;
  while (cells_of(joined_parts(parts)) > room)
    if (!shorten(parts)) return cut(joined_parts(parts), room);
  return joined_parts(parts);
}

}  // namespace volley
