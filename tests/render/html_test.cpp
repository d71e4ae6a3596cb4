// The HTML report as text: nothing that anybody wrote into a report may become part of the page's
// own markup, and what is withheld stays so. How it looks and works is tests/html's business.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "reports/render/html_escape.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"
#include "reports/render/renderer.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

using Json = nlohmann::json;

std::size_t times(std::string_view text, std::string_view piece) {
  std::size_t n = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos;
       at = text.find(piece, at + piece.size()))
    ++n;
  return n;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  EXPECT_NE(from, std::string::npos) << begin;
  const std::size_t start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

const std::string kIsland = "<script type=\"application/json\" id=\"volley-report\">";

// The page without what it carries of its own.
std::string markup(const std::string& html) { return html.substr(0, html.find("<script>")); }

const std::string kHostile =
    "</script><script>window.pwned=1</script><!--<img src=x onerror='pwned=1'>\" onload=\"pwned=1 "
    "& "
    "\xe2\x80\xa8 \xff \x1b[31m ::error::";

Report hostile_report() {
  RunRecord record = samples::udp_open_loop();
  record.name = record.endpoint = record.workload = record.arrival = kHostile;
  record.config.emplace_back("flows", kHostile);
  record.config.emplace_back(kHostile, kHostile);
  for (Condition& condition : record.conditions) condition.effective = kHostile;
  record.generator.warnings = {kHostile};
  RunReport run = summarize(record);
  run.status = kHostile;
  for (Check& check : *run.checks) check.text = check.name = check.unit = kHostile;
  run.verdict->headline = kHostile;
  Report report = samples::report_of({run, run});
  report.tool_version = report.tool_commit = report.started_at = kHostile;
  report.host = report.labels = {{kHostile, kHostile}};
  report.argv = {kHostile};
  report.error = {kHostile, kHostile, kHostile};
  report.thresholds = {
      {kHostile, 1.0, 2.0, kHostile, false, kHostile, kHostile, {}, kHostile, kHostile}};
  const MergedPart part{kHostile,
                        1e300,
                        kHostile,
                        kHostile,
                        kHostile,
                        {{kHostile, kHostile}},
                        {kHostile},
                        {{kHostile, kHostile}},
                        {{kHostile, 1, {}, {}, 1e300, {}}}};
  report.parts = {part, part};
  return report;
}

TEST(Html, EscapesWhatMeansSomethingInAPage) {
  EXPECT_EQ(html_text("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  EXPECT_EQ(html_text("\x1b[1m\xff\xfe"
                      "ok"),
            "\xef\xbf\xbd[1m\xef\xbf\xbdok");
  EXPECT_EQ(html_text("two\nlines"), "two\xef\xbf\xbdlines");
  EXPECT_EQ(html_lines("two\n<lines>\n"), "two\n&lt;lines&gt;\n");
}

TEST(Html, AnIslandKeepsTheValueAndNoMarkup) {
  const Json value{{"a </script> b", "<!-- \" \\\" \\\\ & \xe2\x80\xa8\xe2\x80\xa9 end "},
                   {"n", {1, 2.5, nullptr, true}}};
  const std::string island = html_island(value.dump(2));
  EXPECT_EQ(Json::parse(island), value);
  EXPECT_EQ(island.find_first_of("<>&\n"), std::string::npos);
  EXPECT_EQ(island.find("\xe2\x80"), std::string::npos);
  EXPECT_EQ(times(island, ": "), 0U);
}

TEST(Html, HostileTextsStayTexts) {
  const std::string html = render_html(hostile_report());
  // Two islands, Chart.js and the page's own: no other.
  EXPECT_EQ(times(html, "<script"), 4U);
  EXPECT_EQ(times(html, "</script"), 4U);
  EXPECT_EQ(times(markup(html), "<img"), 0U);
  EXPECT_EQ(times(html, "<!--"), 0U);
  EXPECT_EQ(times(markup(html), "\" onload=\""), 0U);
  EXPECT_GT(times(markup(html), "&lt;/script&gt;"), 20U);
  EXPECT_EQ(Json::parse(between(html, kIsland, "</script>")),
            Json::parse(render_json(hostile_report())));
}

TEST(Html, IsWholeForAnyReport) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Report report = samples::any_report(seed);
    const std::string html = render_html(report);
    const std::string page = markup(html);
    for (const char* tag : {"table", "tr", "td", "th", "section", "details", "figure", "ul", "p",
                            "small", "div", "dl", "pre", "h1", "h2"}) {
      const std::size_t opened =
          times(page, std::string("<") + tag + ">") + times(page, std::string("<") + tag + " ");
      EXPECT_EQ(opened, times(page, std::string("</") + tag + ">")) << tag << " of " << seed;
    }
    EXPECT_EQ(times(html, "<script"), 4U) << seed;
    EXPECT_EQ(times(html, "<h1 "), 1U) << seed;
    for (const char c : page)
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << seed;
    EXPECT_EQ(Json::parse(between(html, kIsland, "</script>")), Json::parse(render_json(report)));
    EXPECT_TRUE(Json::accept(html_curves_json(report))) << seed;
  }
}

TEST(Html, OfASavedReportIsTheSamePage) {
  for (const auto& [name, report] : samples::all())
    EXPECT_EQ(render_html(parse_report(render_json(report))), render_html(report)) << name;
}

TEST(Html, SaysWithheldAndWhyInsteadOfAFigure) {
  const RunReport run = summarize(samples::udp_open_loop());
  ASSERT_TRUE(is_withheld(run.response, kPercentiles[3]));
  const std::string html = markup(render_html(samples::report_of({run})));
  EXPECT_NE(html.find("<dt>response p99.9</dt><dd>withheld<small>"), std::string::npos);
  EXPECT_NE(html.find(" needed</small>"), std::string::npos);
  // The curve's table does not give it away either.
  EXPECT_NE(html.find("<th scope=\"row\">99.9 %</th><td>1000</td><td>withheld</td>"),
            std::string::npos);
}

TEST(Html, SaysOfAMergeWhatItIsOfBeforeAnythingSpeaksOfAPart) {
  const Report one = samples::report_of({summarize(samples::udp_open_loop())});
  EXPECT_EQ(render_html(one).find("merge of"), std::string::npos);
  Report merge = samples::merged(one);
  merge.parts[1].runs[0].sent = 123'456;
  const std::string html = markup(render_html(merge));
  EXPECT_EQ(between(html, "<header><p>", "</p>"),
            "volley report, " + merge.started_at +
                "; <a href=\"#parts\">merge of 2 reports</a>: histograms added, counts summed");
  EXPECT_NE(between(html, "<title>", "</title>").find(", merge of 2 reports"), std::string::npos);
  EXPECT_EQ(between(html, "<p class=\"circumstances\">", "rr, ").rfind("2 generators together: "),
            0U);
  EXPECT_LT(html.find("<header>"), html.find("part 1"));
  const std::string section = between(html, "<h2 id=\"parts\">", "</section>");
  EXPECT_EQ(times(section, ">part 1</th>"), 2U);
  EXPECT_EQ(times(section, ">part 2</th>"), 2U);
  EXPECT_EQ(times(section, "<td>123,456</td>"), 1U);
}

TEST(Html, SaysWhichPartOfAMergeWasInterruptedAndOfWhichVersionEachIs) {
  Report merge = samples::merged(samples::report_of({summarize(samples::udp_open_loop())}));
  merge.parts[1].status = "interrupted";
  merge.parts[1].tool_commit = "0abc";
  const std::string section =
      between(markup(render_html(merge)), "<h2 id=\"parts\">", "</section>");
  EXPECT_EQ(times(section, "data-head=\"status: \">interrupted</td>"), 1U);
  EXPECT_EQ(times(section,
                  "data-head=\"version: \">volley " + merge.parts[1].tool_version + " (0abc)</td>"),
            1U);
}

TEST(Html, ShowsTheFirstHundredPartsOfAMergeAndSaysSo) {
  Report merge = samples::merged(samples::report_of({summarize(samples::udp_open_loop())}));
  const MergedPart part = merge.parts.front();
  merge.parts.resize(1001, part);
  std::string html = markup(render_html(merge));
  EXPECT_EQ(times(html, ">part 100</th>"), 2U);
  EXPECT_EQ(times(html, ">part 101</th>"), 0U);
  EXPECT_EQ(times(html, "The first 100 rows of 1,001; the JSON has all."), 2U);
  // Of parts that say nothing of their runs, too.
  for (MergedPart& each : merge.parts) each.runs.clear();
  html = markup(render_html(merge));
  EXPECT_EQ(times(html, ">part 100</th>"), 1U);
  EXPECT_EQ(times(html, "The first 100 rows of 1,001; the JSON has all."), 1U);
}

// What stands below one another on a narrow page says what it is, and stays a table.
TEST(Html, CellsOfManyColumnsOfWordsHaveTheirHeadsAndRoles) {
  const HtmlTable narrow{"c", {"a", "b", "c"}, {{"1", "2", "3"}}, false, {}};
  EXPECT_EQ(html_table(narrow).find("role=\"row\""), std::string::npos);
  const HtmlTable wide{"c", {"a", "b", "c", "d &amp; e"}, {{"1", "2", "3", "<b>4</b>"}}, false, {}};
  const std::string html = html_table(wide);
  EXPECT_NE(html.find("<table class=\"words stacked\" role=\"table\">"), std::string::npos);
  EXPECT_EQ(times(html, " role=\"rowgroup\">"), 2U);
  EXPECT_NE(html.find("<tr role=\"row\"><th scope=\"col\" role=\"columnheader\">a</th>"),
            std::string::npos);
  EXPECT_NE(html.find("<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">1</th>"
                      "<td role=\"cell\" data-head=\"b: \">2</td>"),
            std::string::npos);
  EXPECT_NE(html.find("<td role=\"cell\" data-head=\"d &amp; e: \"><b>4</b></td></tr>"),
            std::string::npos);
}

TEST(Html, SaysThatARunFailedAndWhy) {
  Report failed = samples::report_of({});
  failed.status = "failed";
  failed.error = {"refused", "tcp://127.0.0.1:1: connection refused", "setup"};
  const std::string html = markup(render_html(failed));
  EXPECT_NE(html.find("<strong>FAILED</strong>"), std::string::npos);
  EXPECT_NE(html.find("tcp://127.0.0.1:1: connection refused (refused, in phase setup)"),
            std::string::npos);
  EXPECT_EQ(html.find("TRUSTED"), std::string::npos);
}

TEST(Html, SaysWhichIsBetterAndByHowMuch) {
  Report duel = samples::report_of({summarize(samples::long_run(samples::udp_open_loop())),
                                    summarize(samples::long_run(samples::tcp_closed_loop()))});
  duel.comparison = compare_protocols(duel.runs);
  duel.comparison->achieved_ratio = 0.5;
  duel.comparison->p99_ratio = 0.25;
  const std::string html = render_html(duel);
  EXPECT_EQ(
      between(html, "<h1 id=\"result\">", "</h1>"),
      "TCP made <em>2.00 times</em> the round trips of UDP; UDP’s response p99 was lower, <em>0.25 "
      "times</em> that of TCP");
}

// The points against a naive count over the samples.
TEST(Html, PointsOfACurveAreOrderStatistics) {
  const RunReport run = summarize(samples::long_run(samples::udp_open_loop()));
  const Json curve = Json::parse(html_curves_json(samples::report_of({run}))).at("main").at(0);
  const std::uint64_t lost = *run.requests.lost;
  EXPECT_EQ(curve.at("lost"), lost);
  EXPECT_EQ(curve.at("protocol"), "udp");
  const auto total = static_cast<double>(run.response.histogram->count() + lost);
  ASSERT_GT(curve.at("points").size(), 20U);
  double before = 0;
  for (const Json& point : curve.at("points")) {
    const double x = point.at(0);
    const std::int64_t ns = point.at(1);
    EXPECT_GT(x, before);
    before = x;
    std::uint64_t within = 0;
    const std::size_t last = Histogram::index_of(ns);
    for (std::size_t i = 0; i <= last; ++i) within += run.response.histogram->counters()[i];
    const std::uint64_t below = within - run.response.histogram->counters()[last];
    const double rank = std::max(1.0, (1 - 1 / x) * total);
    EXPECT_GE(static_cast<double>(within) * (1 + 1e-4), rank) << x;
    EXPECT_LE(static_cast<double>(below), rank * (1 + 1e-4)) << x;
  }
  // It ends where the lost begin.
  EXPECT_LT(before, total / static_cast<double>(lost) * 1.13);
}

}  // namespace
}  // namespace volley
