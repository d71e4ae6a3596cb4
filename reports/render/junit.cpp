// JUnit XML as the readers of it agree upon: a <testsuite> as root, attributes that every schema
// knows, times with three digits. One testcase for the whole run, one per threshold, one per
// scenario for its verdict. A testcase's name is its identity over time, so it has no measured
// value in it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/judge/scenarios.hpp"
#include "reports/judge/thresholds.hpp"
#include "reports/measure/units.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

enum class Outcome { passed, failed, error, skipped };

struct TestCase {
  std::string classname;
  std::string name;
  double seconds = 0;
  Outcome outcome = Outcome::passed;
  std::string type{};     // of a failure or error
  std::string message{};  // of whatever is not passed
  std::string said{};     // system-out
};

// Also without U+FFFE and U+FFFF, which are UTF-8 and no XML.
std::string escaped(std::string_view raw) {
  const std::string text = printable(raw);
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view three = std::string_view(text).substr(at, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out += "\xEF\xBF\xBD";
      at += 2;
      continue;
    }
    switch (text[at]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += text[at];
    }
  }
  return out;
}

TestCase run_case(const Report& report) {
  TestCase test{"volley", "run"};
  for (const RunReport& run : report.runs) test.seconds += run.duration_s;
  if (report.status == "ok" && !report.error) return test;
  test.outcome = Outcome::error;
  test.type = "run";
  test.message = report.error ? fmt::format("{} ({}, in phase {})", report.error->message,
                                            report.error->code, report.error->phase)
                              : report.status;
  return test;
}

TestCase threshold_case(const ThresholdResult& result) {
  TestCase test{"volley.thresholds", result.expr};
  if (result.pass) return test;
  test.outcome = Outcome::failed;
  test.type = "threshold";
  test.message = result.value && result.limit ? fmt::format("it is {}, and the limit {}",
                                                            value_text(*result.value, result.unit),
                                                            value_text(*result.limit, result.unit))
                                              : result_text(result);
  return test;
}

// "C7 warn: …" of each check that did not pass in one of the rounds, once.
std::string doubts_of(const Scenario& scenario) {
  std::vector<std::string> lines;
  for (const RunReport* round : scenario.rounds)
    for (const Check& check : round->checks.value_or(std::vector<Check>())) {
      if (check.status == CheckStatus::pass || check.status == CheckStatus::not_applicable)
        continue;
      std::string line = fmt::format("{} {}: {}", check.id, to_string(check.status), check.text);
      if (std::find(lines.begin(), lines.end(), line) == lines.end())
        lines.push_back(std::move(line));
    }
  constexpr std::size_t most = 50;
  const std::size_t cut = lines.size() > most ? lines.size() - most : 0;
  lines.resize(lines.size() - cut);
  if (cut > 0) lines.push_back(fmt::format("and {} more", cut));
  return fmt::format("{}", fmt::join(lines, "; "));
}

// TRUSTED and DEGRADED pass, the latter with its doubts; withheld for want of samples is skipped.
TestCase verdict_case(const Scenario& scenario) {
  TestCase test{"volley." + scenario.id, "verdict"};
  for (const RunReport* round : scenario.rounds) test.seconds += round->duration_s;
  const std::optional<RunReport> whole = together(scenario.rounds);
  if (!whole || !whole->verdict) {
    test.outcome = Outcome::skipped;
    test.message = whole ? "the report has no verdict of it" : "no round of it was finished";
    return test;
  }
  const RunVerdict& verdict = *whole->verdict;
  if (verdict.overall == Verdict::invalid) {
    test.outcome = Outcome::failed;
    test.type = "verdict";
  }
  if (verdict.overall == Verdict::not_claimable) test.outcome = Outcome::skipped;
  test.message = fmt::format("{}: {}", to_string(verdict.overall), verdict.headline);
  if (verdict.overall != Verdict::trusted) test.said = doubts_of(scenario);
  return test;
}

// GitLab ignores the second test of a name.
void make_unique(std::vector<TestCase>& tests) {
  std::set<std::pair<std::string, std::string>> taken;
  std::map<std::pair<std::string, std::string>, int> next;
  for (TestCase& test : tests) {
    const std::string name = test.name;
    int& n = next.try_emplace({test.classname, name}, 2).first->second;
    while (!taken.emplace(test.classname, test.name).second)
      test.name = fmt::format("{} ({})", name, n++);
  }
}

std::string xml_of(const TestCase& test) {
  std::string inside;
  const std::string message = escaped(test.message);
  if (test.outcome == Outcome::failed || test.outcome == Outcome::error) {
    const std::string_view element = test.outcome == Outcome::failed ? "failure" : "error";
    inside += fmt::format("    <{0} message=\"{1}\" type=\"{2}\">{1}</{0}>\n", element, message,
                          test.type);
  }
  if (test.outcome == Outcome::skipped)
    inside += fmt::format("    <skipped message=\"{}\"/>\n", message);
  if (!test.said.empty())
    inside += fmt::format("    <system-out>{}</system-out>\n", escaped(test.said));
  const std::string attributes =
      fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                  escaped(test.classname), escaped(test.name), test.seconds);
  return inside.empty() ? attributes + "/>\n" : attributes + ">\n" + inside + "  </testcase>\n";
}

}  // namespace

std::string render_junit(const Report& report) {
  std::vector<TestCase> tests{run_case(report)};
  for (const ThresholdResult& result : report.thresholds) tests.push_back(threshold_case(result));
  for (const Scenario& scenario : scenarios_of(report)) tests.push_back(verdict_case(scenario));
  // What is shown must be different, not what it is made of.
  for (TestCase& test : tests) test.name = printable(test.name);
  make_unique(tests);
  const auto with = [&](Outcome outcome) {
    return std::count_if(tests.begin(), tests.end(),
                         [&](const TestCase& t) { return t.outcome == outcome; });
  };
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"volley\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{:.3f}\">\n"
      "  <properties>\n"
      "    <property name=\"volley.version\" value=\"{}\"/>\n"
      "  </properties>\n",
      tests.size(), with(Outcome::failed), with(Outcome::error), with(Outcome::skipped),
      tests.front().seconds, escaped(report.tool_version));
  for (const TestCase& test : tests) text += xml_of(test);
  return text + "</testsuite>\n";
}

}  // namespace volley
