// The limits of compare, as they are typed.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "reports/judge/compare.hpp"
#include "reports/judge/threshold_parser.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

constexpr double kLossDifference = 0.001;
constexpr double kHighestPercent = 10'000;
constexpr std::array kShared{"achieved",     "goodput",     "response_p50",
                             "response_p99", "connect_p50", "connect_p99"};

bool is_plain(std::string_view digits) {
  constexpr std::size_t longest = 12;
  return !digits.empty() && digits.size() <= longest && digits.front() != '.' &&
         digits.back() != '.' && std::count(digits.begin(), digits.end(), '.') <= 1 &&
         digits.find_first_not_of("0123456789.") == std::string_view::npos;
}

// "10%" is 0.1.
double parse_share(std::string_view subject, std::string_view text) {
  double percent = 0;
  const bool plain = text.ends_with('%') && is_plain(text.substr(0, text.size() - 1));
  if (plain) std::from_chars(text.data(), text.data() + text.size() - 1, percent);
  if (plain && percent <= kHighestPercent) return percent / 100;
  std::string shown(text.substr(0, 40));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  throw UsageError(fmt::format("{}: not a share ({}) [0% to 10000%]; write it like 10% or p99:25%",
                               subject, shown));
}

RegressionLimit parse_one(std::string_view subject, std::string_view value, std::size_t colon) {
  RegressionLimit limit{parse_metric(subject, value.substr(0, colon)), 0, true};
  limit.most = parse_share(subject, value.substr(colon + 1));
  if (limit.metric.better == Better::neither || limit.metric.unit == "verdict")
    throw UsageError(
        fmt::format("{}: neither more nor less of it is worse ({}) [achieved, goodput, loss, p99, "
                    "errors …]; use --fail-if of run or report for it",
                    subject, limit.metric.name));
  return limit;
}

}  // namespace

std::vector<RegressionLimit> default_limits(double share) {
  std::vector<RegressionLimit> limits;
  limits.reserve(kShared.size() + 1);
  for (const char* name : kShared) limits.push_back({*find_metric(name), share, false});
  limits.push_back({*find_metric("loss_ratio"), kLossDifference, false});
  return limits;
}

std::vector<RegressionLimit> parse_regression_limits(std::string_view subject,
                                                     const std::vector<std::string>& values) {
  double share = 0.1;
  std::vector<RegressionLimit> named;
  for (const std::string& value : values) {
    const std::size_t colon = value.rfind(':');
    if (colon == std::string::npos)
      share = parse_share(subject, value);
    else
      named.push_back(parse_one(subject, value, colon));
  }
  std::vector<RegressionLimit> limits = default_limits(share);
  for (RegressionLimit& limit : named) {
    const auto same = std::find_if(limits.begin(), limits.end(), [&](const RegressionLimit& other) {
      return other.metric.path == limit.metric.path;
    });
    if (same == limits.end())
      limits.push_back(std::move(limit));
    else
      *same = std::move(limit);
  }
  return limits;
}

}  // namespace volley
