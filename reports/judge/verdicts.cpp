#include "reports/judge/verdicts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/judge/checklist.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::array<std::string_view, 5> kStatusWords{"pass", "warn", "fail", "unknown",
                                                       "not_applicable"};
constexpr std::array<std::string_view, 4> kVerdictWords{"TRUSTED", "DEGRADED", "NOT_CLAIMABLE",
                                                        "INVALID"};

Verdict verdict_of(CheckStatus status) {
  switch (status) {
    case CheckStatus::fail:
      return Verdict::invalid;
    case CheckStatus::warn:
    case CheckStatus::unknown:
      return Verdict::degraded;
    case CheckStatus::pass:
    case CheckStatus::not_applicable:
      break;
  }
  return Verdict::trusted;
}

// Its interval would give it away.
void withhold(LatencyFigures& figures, const PercentileKey& key) {
  (figures.*key.figure).reset();
  figures.spoiled.push_back(key.percentile.ppm);
  if (!figures.claims) return;
  Claim& claim = (*figures.claims).*key.claim;
  claim.low.reset();
  claim.high.reset();
}

bool decides_on(const Check& check, const std::string& number) {
  return std::find(check.affects.begin(), check.affects.end(), number) != check.affects.end();
}

// The percentile that a number's name names, and its distribution; null: it names none.
struct NamedPercentile {
  const Published* distribution = nullptr;
  const PercentileKey* key = nullptr;
};
NamedPercentile percentile_named(const std::string& number) {
  for (const Published& published : kPublished)
    for (const PercentileKey& key : kPercentiles)
      if (number == number_name(published.name, key)) return {&published, &key};
  return {};
}

bool is_claimable(const RunReport& run, const std::string& number) {
  const NamedPercentile named = percentile_named(number);
  return named.key == nullptr || !is_withheld(run.*named.distribution->figures, *named.key);
}

NumberVerdict judge_number(const RunReport& run, const std::vector<Check>& checks,
                           std::string number) {
  NumberVerdict judged{std::move(number), Verdict::trusted, {}};
  for (const Check& check : checks) {
    if (!decides_on(check, judged.number)) continue;
    const Verdict by_it = verdict_of(check.status);
    if (by_it == Verdict::trusted) continue;
    judged.verdict = std::max(judged.verdict, by_it);
    judged.decided_by.push_back(check.id);
  }
  // That the generator spoiled it weighs more than that there is too little of it.
  if (!is_claimable(run, judged.number) && judged.verdict != Verdict::invalid)
    return {std::move(judged.number), Verdict::not_claimable, {"C4"}};
  return judged;
}

// What a reader looks at first.
bool is_headline(const RunReport& run, const std::string& number) {
  const NamedPercentile named = percentile_named(number);
  if (named.key == nullptr) return true;
  return named.distribution == main_distribution(run) &&
         (named.key->percentile.ppm == kP50.ppm || named.key->percentile.ppm == kP99.ppm);
}

// The first of the checks that brought a headline number to this verdict.
const Check* decisive(const RunReport& run, const std::vector<Check>& checks, Verdict verdict) {
  for (const Check& check : checks) {
    if (verdict_of(check.status) != verdict) continue;
    if (std::any_of(check.affects.begin(), check.affects.end(),
                    [&](const std::string& number) { return is_headline(run, number); }))
      return &check;
  }
  return nullptr;
}

std::string figure_words(const RunReport& run) {
  const Published* published = main_distribution(run);
  if (published == nullptr) return {};
  const LatencyFigures& figures = run.*published->figures;
  for (const PercentileKey* key : {&kPercentiles[2], &kPercentiles[0]}) {
    const auto& figure = figures.*key->figure;
    const Claim& claim = (*figures.claims).*key->claim;
    if (!figure || !claim.low || !claim.high) continue;
    return fmt::format("{} {} is {} (95 % from {} to {})", published->name, key->words,
                       format_duration(Nanos(*figure)), format_duration(Nanos(*claim.low)),
                       format_duration(Nanos(*claim.high)));
  }
  return {};
}

std::string headline_of(const RunReport& run, const std::vector<Check>& checks, Verdict overall) {
  if (run.status == "failed") return "The run failed: its figures say nothing about a target.";
  if (overall == Verdict::not_claimable)
    return "Too little stands behind every percentile; longer runs claim more.";
  const auto passed = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.status == CheckStatus::pass;
  });
  if (overall == Verdict::trusted) {
    const std::string figure = figure_words(run);
    return fmt::format("{}{} checks of the generator passed.", figure.empty() ? "" : figure + "; ",
                       passed);
  }
  const Check* by = decisive(run, checks, overall);
  return by == nullptr ? "" : by->text;
}

}  // namespace

std::string_view to_string(CheckStatus status) {
  return kStatusWords[static_cast<std::size_t>(status)];
}
std::optional<CheckStatus> check_status_from(std::string_view word) {
  const auto* const found = std::find(kStatusWords.begin(), kStatusWords.end(), word);
  if (found == kStatusWords.end()) return std::nullopt;
  return static_cast<CheckStatus>(found - kStatusWords.begin());
}
std::string_view to_string(Verdict verdict) {
  return kVerdictWords[static_cast<std::size_t>(verdict)];
}
std::optional<Verdict> verdict_from(std::string_view word) {
  const auto* const found = std::find(kVerdictWords.begin(), kVerdictWords.end(), word);
  if (found == kVerdictWords.end()) return std::nullopt;
  return static_cast<Verdict>(found - kVerdictWords.begin());
}

RunVerdict conclude(const RunReport& run, const std::vector<Check>& checks) {
  RunVerdict verdict;
  bool any_percentile = false;
  bool any_claimable = false;
  for (std::string& number : published_numbers(run)) {
    verdict.numbers.push_back(judge_number(run, checks, std::move(number)));
    const NumberVerdict& judged = verdict.numbers.back();
    if (!is_headline(run, judged.number)) continue;
    const bool claimable = judged.verdict != Verdict::not_claimable;
    if (percentile_named(judged.number).key != nullptr) {
      any_percentile = true;
      any_claimable = any_claimable || claimable;
    }
    // What is withheld for want of samples says so itself, and spoils nothing else.
    if (claimable) verdict.overall = std::max(verdict.overall, judged.verdict);
  }
  if (any_percentile && !any_claimable)
    verdict.overall = std::max(verdict.overall, Verdict::not_claimable);
  if (run.status == "failed") verdict.overall = Verdict::invalid;
  verdict.headline = headline_of(run, checks, verdict.overall);
  return verdict;
}

void withhold_invalid(RunReport& run) {
  if (!run.verdict) return;
  for (const NumberVerdict& judged : run.verdict->numbers) {
    if (judged.verdict != Verdict::invalid) continue;
    if (judged.number == "loss_ratio") run.requests.loss_ratio.reset();
    const NamedPercentile named = percentile_named(judged.number);
    if (named.key == nullptr) continue;
    withhold(run.*named.distribution->figures, *named.key);
    if (named.distribution->figures == &RunReport::response)
      withhold(run.response_delivered, *named.key);
  }
}

bool is_moot(const RunReport& run, const Check& check) {
  // A failure decides the verdict even where there is too little of the number.
  const auto headline = [&](const std::string& number) { return is_headline(run, number); };
  if (check.status == CheckStatus::fail &&
      std::any_of(check.affects.begin(), check.affects.end(), headline))
    return false;
  const auto claimable = [&](const std::string& number) { return is_claimable(run, number); };
  const std::vector<std::string> all = percentiles_of(run, kP50);
  return !check.affects.empty() &&
         std::none_of(check.affects.begin(), check.affects.end(), claimable) &&
         std::any_of(all.begin(), all.end(), claimable);
}

std::optional<OverallVerdict> overall_verdict(std::span<const RunReport> runs) {
  const RunReport* worst = nullptr;
  for (const RunReport& run : runs)
    if (run.verdict && (worst == nullptr || run.verdict->overall > worst->verdict->overall))
      worst = &run;
  if (worst == nullptr) return std::nullopt;
  OverallVerdict overall{worst->verdict->overall, worst->verdict->headline};
  if (runs.size() > 1 && overall.overall == Verdict::trusted)
    overall.headline = fmt::format("Each of the {} runs passed its checks.", runs.size());
  return overall;
}

}  // namespace volley
