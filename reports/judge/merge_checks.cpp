// The checks of the union: each as bad as in its worst part, so that the union is never trusted
// more than any of its parts.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "reports/judge/checklist.hpp"
#include "reports/judge/merge.hpp"
#include "reports/judge/merge_pieces.hpp"
#include "reports/judge/verdicts.hpp"

namespace volley {
namespace {

// A check that stands several times under one name is told apart by its place among them.
struct CheckKey {
  std::string id, name;
  std::size_t place = 0;
  friend bool operator==(const CheckKey&, const CheckKey&) = default;
};

struct KeyedCheck {
  CheckKey key;
  const Check* check = nullptr;
};

std::vector<KeyedCheck> keyed(const std::vector<Check>& checks) {
  std::vector<KeyedCheck> all;
  all.reserve(checks.size());
  for (const Check& check : checks) {
    CheckKey key{check.id, check.name, 0};
    for (const KeyedCheck& before : all)
      if (before.check->id == check.id && before.check->name == check.name) ++key.place;
    all.push_back({std::move(key), &check});
  }
  return all;
}

// From good to bad; what could not be looked at is worse than what passed.
int badness(CheckStatus status) {
  switch (status) {
    case CheckStatus::not_applicable:
      return 0;
    case CheckStatus::pass:
      return 1;
    case CheckStatus::unknown:
      return 2;
    case CheckStatus::warn:
      return 3;
    case CheckStatus::fail:
      break;
  }
  return 4;
}

// The percentile that a check is made for: "absence at p99.9"; null: for none in particular.
const PercentileKey* percentile_of(const Check& check) {
  for (const PercentileKey& key : kPercentiles)
    if (check.name.ends_with(std::string(" ") + key.words)) return &key;
  return nullptr;
}

// What one part says of a check.
struct Finding {
  RunPart part;
  Check check;
};

// A percentile that the union can claim and a part could not was not looked at there. What a merge
// had too little for, its first part had: the text names it like all texts of a merge.
Check not_looked_at(const RunPart& part, const Check& like, const PercentileKey& key,
                    const Published& main) {
  Check check;
  check.id = like.id;
  check.name = like.name;
  check.status = CheckStatus::unknown;
  check.unit = like.unit;
  check.affects = {number_name(main.name, key)};
  check.text = fmt::format("{}Too little stood behind {} there to look at it.",
                           part.merged ? "part 1: " : "", key.words);
  return check;
}

std::vector<Finding> findings_of(const RunReport& sum, RunParts parts, const CheckKey& key,
                                 const Check& like,
                                 const std::vector<std::vector<KeyedCheck>>& all) {
  const PercentileKey* percentile = percentile_of(like);
  const Published* main = main_distribution(sum);
  const bool claimed =
      percentile != nullptr && main != nullptr && !is_withheld(sum.*main->figures, *percentile);
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto found = std::find_if(all[i].begin(), all[i].end(),
                                    [&](const KeyedCheck& k) { return k.key == key; });
    const bool made = found != all[i].end() && found->check->status != CheckStatus::not_applicable;
    const bool has_samples = main != nullptr && (parts[i].run->*main->figures).claims;
    if (!made && claimed && has_samples)
      findings.push_back({parts[i], not_looked_at(parts[i], like, *percentile, *main)});
    else if (found != all[i].end())
      findings.push_back({parts[i], *found->check});
  }
  return findings;
}

bool is_worse(const Check& a, const Check& b) {
  if (a.status != b.status) return badness(a.status) > badness(b.status);
  return a.value.value_or(-1) > b.value.value_or(-1);
}

Check worst_of(const std::vector<Finding>& findings, const std::vector<std::string>& published) {
  const Finding* worst = &findings.front();
  for (const Finding& finding : findings)
    if (is_worse(finding.check, worst->check)) worst = &finding;
  Check check = worst->check;
  if (check.status != CheckStatus::not_applicable) check.text = told_by(worst->part, check.text);
  // What any part doubts is in doubt.
  const bool doubtful = badness(check.status) > badness(CheckStatus::pass);
  const auto decides = [&](const Finding& finding, const std::string& name) {
    const std::vector<std::string>& affects = finding.check.affects;
    return (!doubtful || badness(finding.check.status) > badness(CheckStatus::pass)) &&
           std::find(affects.begin(), affects.end(), name) != affects.end();
  };
  check.affects.clear();
  for (const std::string& name : published)
    if (std::any_of(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return decides(finding, name); }))
      check.affects.push_back(name);
  return check;
}

// "C1a" before "C2", "C9" before "C10". An id from a file may be anything.
std::pair<int, std::string> order_of(const Check& check) {
  int number = 0;
  for (const char c : check.id.substr(0, 6))
    if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
  return {number, check.id};
}

std::vector<Check> merge_checks(const RunReport& sum, RunParts parts) {
  std::vector<std::vector<KeyedCheck>> all;
  std::vector<KeyedCheck> distinct;
  all.reserve(parts.size());
  for (const RunPart& part : parts) {
    all.push_back(keyed(*part.run->checks));
    for (const KeyedCheck& one : all.back())
      if (std::none_of(distinct.begin(), distinct.end(),
                       [&](const KeyedCheck& known) { return known.key == one.key; }))
        distinct.push_back(one);
  }
  const std::vector<std::string> published = published_numbers(sum);
  std::vector<Check> checks;
  checks.reserve(distinct.size());
  for (const KeyedCheck& one : distinct)
    checks.push_back(worst_of(findings_of(sum, parts, one.key, *one.check, all), published));
  std::stable_sort(checks.begin(), checks.end(),
                   [](const Check& a, const Check& b) { return order_of(a) < order_of(b); });
  return checks;
}

}  // namespace

std::string told_by(const RunPart& part, const std::string& text) {
  if (!part.merged) return fmt::format("part {}: {}", part.before + 1, text);
  // The text of a merge names a part by its place there.
  const std::optional<std::size_t> named = part_named(text);
  if (!named) return text;
  return fmt::format("part {}{}", *named + part.before, text.substr(text.find(": ")));
}

std::optional<std::size_t> part_named(std::string_view text) {
  constexpr std::string_view head = "part ";
  constexpr std::size_t most_digits = 6;
  if (!text.starts_with(head)) return std::nullopt;
  const std::string_view rest = text.substr(head.size());
  const std::string_view digits = rest.substr(0, rest.find_first_not_of("0123456789"));
  if (digits.empty() || digits.size() > most_digits ||
      !rest.substr(digits.size()).starts_with(": "))
    return std::nullopt;
  std::size_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<std::size_t>(c - '0');
  return number;
}

void merge_judgement(RunReport& sum, RunParts parts) {
  sum.checks = merge_checks(sum, parts);
  sum.verdict = conclude(sum, *sum.checks);
  withhold_invalid(sum);
}

}  // namespace volley
