#include "reports/render/text_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "reports/judge/merge.hpp"
#include "reports/judge/verdicts.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

bool is_doubt(const Check& check) {
  return check.status != CheckStatus::pass && check.status != CheckStatus::not_applicable;
}

// unknown, warn, fail: what weighs more comes first.
int weight(CheckStatus status) {
  return status == CheckStatus::fail ? 2 : status == CheckStatus::warn ? 1 : 0;
}

// What one check says, as bad as this, of all percentiles and runs: in the words of the first. What
// another part of a merge says is another line.
struct Doubt {
  const Check* first = nullptr;
  std::vector<std::string> affects;
  std::size_t runs = 0;
  const RunReport* last_run = nullptr;
};

void note(std::vector<Doubt>& doubts, const RunReport& run, const Check& check) {
  auto doubt = std::find_if(doubts.begin(), doubts.end(), [&](const Doubt& d) {
    return d.first->id == check.id && d.first->status == check.status &&
           part_named(d.first->text) == part_named(check.text);
  });
  if (doubt == doubts.end()) doubt = doubts.insert(doubts.end(), Doubt{&check, {}, 0, nullptr});
  for (const std::string& number : check.affects)
    if (std::find(doubt->affects.begin(), doubt->affects.end(), number) == doubt->affects.end())
      doubt->affects.push_back(number);
  if (doubt->last_run != &run) ++doubt->runs;
  doubt->last_run = &run;
}

std::vector<Doubt> doubts_of(std::span<const RunReport> runs) {
  std::vector<Doubt> doubts;
  for (const RunReport& run : runs) {
    if (!run.checks) continue;
    for (const Check& check : *run.checks)
      if (is_doubt(check) && !is_moot(run, check)) note(doubts, run, check);
  }
  // What weighs most comes first.
  std::stable_sort(doubts.begin(), doubts.end(), [](const Doubt& a, const Doubt& b) {
    return weight(a.first->status) > weight(b.first->status);
  });
  return doubts;
}

// "p50, p99, loss": the numbers it decides on, whatever the distribution.
std::string numbers_text(const std::vector<std::string>& affects) {
  std::vector<std::string> words;
  const auto add = [&](std::string word) {
    if (std::find(words.begin(), words.end(), word) == words.end())
      words.push_back(std::move(word));
  };
  for (const PercentileKey& key : kPercentiles)
    for (const std::string& number : affects)
      if (number.substr(number.find('.') + 1) == key.key) add(key.words);
  for (const std::string& number : affects) {
    if (number == "loss_ratio") add("loss");
    if (number == "achieved_per_s" || number == "offered_per_s") add("rates");
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string doubt_text(const Doubt& doubt, std::size_t runs) {
  const std::string numbers = numbers_text(doubt.affects);
  return wrapped(fmt::format("  {:<8}", printable(doubt.first->id)),
                 fmt::format("{}{}: {}{}", to_string(doubt.first->status),
                             runs > 1 ? fmt::format(" in {} of {} runs", doubt.runs, runs) : "",
                             printable(doubt.first->text),
                             numbers.empty() ? "" : fmt::format(" [{}]", numbers)));
}

std::string doubts_text(std::span<const RunReport> runs) {
  std::string text;
  for (const Doubt& doubt : doubts_of(runs)) text += doubt_text(doubt, runs.size());
  return text;
}

}  // namespace

std::string merge_words(const Report& report) {
  if (report.parts.empty()) return {};
  return fmt::format("merge of {}", counted(report.parts.size(), "report", "reports"));
}

std::string verdict_words(Verdict verdict) {
  std::string words(to_string(verdict));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string verdict_word(const RunReport& run) {
  return run.verdict ? verdict_words(run.verdict->overall) : "-";
}

std::string verdict_text(const RunReport& run) { return verdict_text(std::span(&run, 1)); }

std::string verdict_text(std::span<const RunReport> runs) {
  const auto overall = overall_verdict(runs);
  if (!overall) return {};
  return wrapped("verdict   ", fmt::format("{}: {}", verdict_words(overall->overall),
                                           printable(overall->headline))) +
         doubts_text(runs);
}

}  // namespace volley
