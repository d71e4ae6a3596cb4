// A run's checks and verdict, read from a saved report.
#include <fmt/format.h>

#include "reports/judge/verdicts.hpp"
#include "reports/render/json_run.hpp"

namespace volley {
namespace {

std::vector<std::string> read_words(const JsonNode& node) {
  std::vector<std::string> words;
  node.elements([&](const JsonNode& word) { words.push_back(word.text()); });
  return words;
}

Check read_check(const JsonNode& node, bool later) {
  JsonObject o(node);
  Check check;
  check.id = o.at("id").text();
  check.name = o.at("name").text();
  const JsonNode status = o.at("status");
  const auto known = check_status_from(status.text());
  if (!known) status.refuse("unknown word", "pass, warn, fail, unknown, not_applicable");
  check.status = *known;
  check.value = o.at("value").number_or_null();
  check.threshold = o.at("threshold").number_or_null();
  check.unit = o.at("unit").text();
  check.affects = read_words(o.at("affects"));
  check.text = o.at("text").text();
  o.finish(later);
  return check;
}

Verdict read_verdict_word(const JsonNode& node) {
  const auto known = verdict_from(node.text());
  if (!known) node.refuse("unknown word", "TRUSTED, DEGRADED, NOT_CLAIMABLE, INVALID");
  return *known;
}

NumberVerdict read_number(const std::string& name, const JsonNode& node, bool later) {
  JsonObject o(node);
  NumberVerdict number{name, read_verdict_word(o.at("verdict")), read_words(o.at("decided_by"))};
  o.finish(later);
  return number;
}

RunVerdict read_verdict(const JsonNode& node, bool later) {
  JsonObject o(node);
  RunVerdict verdict;
  verdict.overall = read_verdict_word(o.at("overall"));
  verdict.headline = o.at("headline").text();
  o.at("numbers").members([&](const std::string& name, const JsonNode& number) {
    verdict.numbers.push_back(read_number(name, number, later));
  });
  o.finish(later);
  return verdict;
}

}  // namespace

void read_judgement(RunReport& run, const JsonNode& checks, const JsonNode& verdict, bool later) {
  if (!checks.is_null()) {
    run.checks.emplace();
    checks.elements(
        [&](const JsonNode& check) { run.checks->push_back(read_check(check, later)); });
  }
  if (verdict.is_null()) return;
  run.verdict = read_verdict(verdict, later);
  withhold_invalid(run);
}

void look_at_overall(const JsonNode& node, bool later) {
  if (node.is_null()) return;
  JsonObject o(node);
  static_cast<void>(read_verdict_word(o.at("overall")));
  static_cast<void>(o.at("headline").text());
  o.finish(later);
}

}  // namespace volley
