#include "generators/cli/annotations.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "generators/cli/standard_streams.hpp"
#include "reports/judge/thresholds.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostOfALevel = 10;
constexpr std::size_t kLongest = 1000;  // bytes of a text; the runner cuts at 4,096 characters

// As the runner undoes it.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '\r' || c == '\n')
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out;
}

// A cut through a character leaves a replacement character.
std::string line_of(std::string_view level, std::string_view text) {
  return fmt::format("::{} title=volley::{}", level, escaped(printable(text.substr(0, kLongest))));
}

std::string threshold_text(const ThresholdResult& t) {
  if (!t.value || !t.limit) return fmt::format("{}: {}", t.expr, result_text(t));
  return fmt::format("{}: it is {}, and the limit {}", t.expr, value_text(*t.value, t.unit),
                     value_text(*t.limit, t.unit));
}

void keep_ten(std::vector<std::string>& lines, std::string_view level) {
  if (lines.size() <= kMostOfALevel) return;
  const std::size_t more = lines.size() - (kMostOfALevel - 1);
  lines.resize(kMostOfALevel - 1);
  lines.push_back(line_of(level, fmt::format("{} more, see the report", more)));
}

}  // namespace

bool annotations_wanted() {
  const char* const found = std::getenv("GITHUB_ACTIONS");
  return found != nullptr && std::string_view(found) == "true";
}

std::vector<std::string> annotation_lines(const Report& report) {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  if (report.error)
    errors.push_back(line_of("error", report.error->message));
  else if (report.status == "failed")
    errors.push_back(line_of("error", "the run failed"));
  const auto verdict = overall_verdict(report.runs);
  if (verdict && (verdict->overall == Verdict::invalid || verdict->overall == Verdict::degraded))
    warnings.push_back(
        line_of("warning", fmt::format("{}: {}", to_string(verdict->overall), verdict->headline)));
  for (const ThresholdResult& t : report.thresholds)
    if (!t.pass) errors.push_back(line_of("error", threshold_text(t)));
  keep_ten(errors, "error");
  keep_ten(warnings, "warning");
  errors.insert(errors.end(), warnings.begin(), warnings.end());
  return errors;
}

void annotate(const Report& report) {
  if (!annotations_wanted()) return;
  std::string text;
  for (const std::string& line : annotation_lines(report)) text += line + '\n';
  if (!text.empty()) tell(stderr, text);
}

}  // namespace volley
