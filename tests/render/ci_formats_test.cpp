// The formats for CI, on every kind of report: nothing that is no number, nothing that ends a line
// early, and the same text for the same report. What their readers say is in tests/export.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "reports/render/ndjson.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/words.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

using Json = nlohmann::json;

std::vector<Report> reports() {
  std::vector<Report> all{Report{}};
  for (auto& [name, report] : samples::all()) all.push_back(std::move(report));
  for (std::uint64_t seed = 0; seed < 30; ++seed) all.push_back(samples::any_report(seed));
  return all;
}

TEST(CiFormats, of_every_report_end_their_lines_and_hold_no_control_character) {
  for (const Report& report : reports()) {
    for (const Renderer render :
         {render_markdown, render_junit, render_ndjson, render_googlebench, render_bencher}) {
      const std::string text = render(report);
      ASSERT_TRUE(text.ends_with('\n'));
      ASSERT_EQ(text, render(report));
      ASSERT_TRUE(std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n';
      })) << text;
      ASSERT_EQ(without_commands(text), text);
    }
    ASSERT_LT(render_markdown(report).size(), std::size_t{1} << 20U);
  }
}

TEST(CiFormats, that_are_json_parse) {
  for (const Report& report : reports()) {
    for (const Renderer render :
         {render_googlebench, render_bencher, render_github_smaller, render_github_bigger}) {
      const std::string text = render(report);
      ASSERT_TRUE(text.empty() || Json::accept(text)) << text;
    }
    const std::string lines = render_ndjson(report);
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      ASSERT_TRUE(Json::accept(lines.substr(at, end - at)));
      at = end + 1;
    }
  }
}

TEST(Googlebench, calls_what_a_slow_build_measured_debug) {
  Report report = samples::report_of({summarize(samples::udp_open_loop())});
  const auto type = [&report](const std::string& build) {
    report.host = {{"kernel", "unoptimized"}, {"build", build}};
    return Json::parse(render_googlebench(report))["context"]["library_build_type"];
  };
  EXPECT_EQ(type("gcc 12.2 optimized"), "release");
  EXPECT_EQ(type("gcc 12.2 unoptimized"), "debug");
  EXPECT_EQ(type("gcc 12.2 optimized address-sanitizer"), "debug");
  // A merge says of its host what all parts have in common.
  report.parts.resize(2);
  report.parts[1].host = {{"build", "clang 14.0 unoptimized"}};
  EXPECT_EQ(type("gcc 12.2 optimized"), "debug");
}

TEST(Markdown, says_of_a_merge_what_it_is_of_before_it_speaks_of_a_part) {
  const Report one = samples::report_of({summarize(samples::udp_open_loop())});
  EXPECT_EQ(render_markdown(one).rfind("## volley: done\n", 0), 0U);
  EXPECT_EQ(
      render_markdown(samples::merged(one)).rfind("## volley: done (merge of 2 reports)\n", 0), 0U);
}

// Of every list the most that is shown, in the text that grows most by being escaped.
TEST(Markdown, stays_short_enough_to_be_taken_and_names_what_it_leaves_out) {
  const RunReport clean = summarize(samples::udp_open_loop());
  Report report = samples::report_of({});
  for (int i = 0; i < 150; ++i) {
    const std::string worst = std::to_string(i) + std::string(3000, '~');
    RunReport run = clean;
    run.name = worst;
    run.generator.warnings = {worst};
    for (Check& check : *run.checks) {
      check.status = CheckStatus::fail;
      check.id = check.text = worst;
    }
    report.runs.push_back(std::move(run));
    report.runs.front().config.emplace_back(worst, worst);
    report.runs.front().conditions.push_back({worst, worst, worst});
    report.thresholds.push_back({worst, {}, 1.0, worst, false, worst, worst, {}, worst, worst});
  }
  const std::string worst(3000, '~');
  report.error = {worst, worst, worst};
  report.comparison.emplace();
  report.comparison->sentence = worst;
  report.comparison->sides.resize(8);
  for (ComparedSide& side : report.comparison->sides) side.protocol = worst;
  const std::string text = render_markdown(report);
  EXPECT_LT(text.size(), std::size_t{1} << 20U);
  EXPECT_GT(text.size(), 500'000U);
  // What comes first is there, and what is not is said to be not.
  EXPECT_NE(text.find("### Thresholds\n\n| fails if"), std::string::npos);
  EXPECT_NE(text.find("\n### Conditions\n\nLeft out: "), std::string::npos);
  for (const auto& [name, sample] : samples::all())
    EXPECT_EQ(render_markdown(sample).find("Left out"), std::string::npos) << name;
}

TEST(GithubBenchmark, of_nothing_is_nothing) {
  EXPECT_EQ(render_github_smaller(Report{}), "");
  EXPECT_EQ(render_github_bigger(Report{}), "");
}

TEST(GithubBenchmark, leaves_out_what_is_no_number) {
  Report report;
  RunReport& run = report.runs.emplace_back();
  run.name = "udp rr";
  run.protocol = "udp";
  run.status = "ok";
  run.load.achieved_per_s = 5;
  run.goodput_bits_per_s = std::numeric_limits<double>::infinity();
  const Json entries = Json::parse(render_github_bigger(report));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["name"], "udp-rr/achieved");
  EXPECT_EQ(entries[0]["unit"], "ops/s");
}

TEST(Ndjson, makes_one_line_of_one_thing) {
  IntervalFigures interval;
  interval.sent = 7;
  EXPECT_EQ(ndjson_interval(3, interval).find("{\"event\":\"interval\",\"data\":{\"run\":3,"), 0U);
  EXPECT_EQ(ndjson_warning(1, "a\nb\xFF"),
            "{\"event\":\"warning\",\"data\":{\"run\":1,\"text\":\"a\\nb\xEF\xBF\xBD\"}}\n");
  EXPECT_EQ(ndjson_start(Report{}).find("{\"event\":\"start\",\"data\":{\"run\":null,"), 0U);
  EXPECT_EQ(ndjson_end(2, RunReport{}).find("{\"event\":\"end\",\"data\":{\"run\":2,"), 0U);
}

TEST(Words, of_others_are_no_commands) {
  EXPECT_EQ(without_commands("::error::x\na ::b\n \t::c\r::d"),
            "|::error::x\na ::b\n \t|::c\r|::d");
  EXPECT_EQ(without_commands("a ##[error]x"), "a #|#[error]x");
  EXPECT_EQ(without_commands(":a\n:b : :\n"), ":a\n:b : :\n");
  EXPECT_EQ(without_commands(""), "");
}

}  // namespace
}  // namespace volley
