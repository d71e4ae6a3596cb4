// exposition.cpp, families.cpp, timeline.cpp and their two writers: what holds for every report.
// Whether others' programs take the files is for tests/export.
#include "reports/render/exposition.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "reports/render/renderer.hpp"
#include "reports/render/timeline.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Where the labels of a line end: blanks and braces may stand within quotes.
std::size_t series_end(const std::string& line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
      continue;
    }
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == ' ' && !quoted) return i;
  }
  return line.size();
}

TEST(Exposition, escapes_what_a_label_may_not_hold) {
  EXPECT_EQ(label_text("plain"), "plain");
  EXPECT_EQ(label_text("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
  EXPECT_EQ(label_text("\n"), "\\n");
  EXPECT_EQ(label_text(std::string_view("x\0y\x1b", 4)), "x\xEF\xBF\xBDy\xEF\xBF\xBD");
  EXPECT_EQ(label_text("\xff\xc0"), "\xEF\xBF\xBD");
  EXPECT_EQ(label_text("a\r\nb"), "a\xEF\xBF\xBD\\nb");
}

TEST(Exposition, writes_numbers_that_read_back_and_none_that_are_no_numbers) {
  EXPECT_EQ(number_text(2000), "2000");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(-0.0), "0");
  EXPECT_EQ(number_text(1.0 / 0.0), std::nullopt);
  EXPECT_EQ(number_text(0.0 / 0.0), std::nullopt);
  EXPECT_TRUE(rc::check([](double value) { RC_ASSERT(std::stod(*number_text(value)) == value); }));
}

TEST(Exposition, keeps_the_names_of_users_labels_safe_and_apart) {
  const Labels labels = user_labels({{"Branch", "main"},
                                     {"branch", "x"},
                                     {"a-b", "1"},
                                     {"a b", "2"},
                                     {"le", "3"},
                                     {"", "4"},
                                     {"gone", ""}});
  const Labels expected{{"label_branch", "main"},
                        {"label_branch_2", "x"},
                        {"label_a_b", "1"},
                        {"label_a_b_2", "2"},
                        {"label_le", "3"}};
  EXPECT_EQ(labels, expected);
}

TEST(Exposition, ends_buckets_where_their_labels_say) {
  const std::vector<BucketEnd>& ends = bucket_ends();
  ASSERT_EQ(ends.size(), 25U);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    EXPECT_EQ(std::llround(std::stod(ends[i].le) * 1e9), ends[i].ns) << ends[i].le;
    EXPECT_GT(ends[i].ns, i == 0 ? 0 : ends[i - 1].ns);
  }
}

TEST(Exposition, counts_a_sample_below_an_end_to_the_width_of_its_counter) {
  EXPECT_TRUE(rc::check([] {
    const auto values = *rc::gen::container<std::vector<std::int64_t>>(
        rc::gen::inRange<std::int64_t>(0, 20'000'000));
    const auto end = *rc::gen::inRange<std::int64_t>(0, 20'000'000);
    Histogram histogram;
    for (const std::int64_t value : values) histogram.record(value, 1);
    const auto at_most = [&](double ns) {
      return static_cast<std::uint64_t>(
          std::count_if(values.begin(), values.end(),
                        [&](std::int64_t v) { return static_cast<double>(v) <= ns; }));
    };
    const std::uint64_t counted = count_up_to(histogram, end);
    RC_ASSERT(counted <= at_most(static_cast<double>(end)));
    RC_ASSERT(counted >= at_most(static_cast<double>(end) * (1 - 1.0 / 1024)));
    RC_ASSERT(end >= 2048 || counted == at_most(static_cast<double>(end)));
  }));
}

TEST(Exposition, has_lost_requests_only_in_the_bucket_without_an_end) {
  Histogram histogram;
  histogram.record(1'000, 3);
  histogram.record(2'000'000, 1);
  PointFamily family{"x_seconds", FamilyKind::histogram, "seconds", "x", {}};
  add_distribution(family, {}, histogram, 6);
  ASSERT_EQ(family.points.size(), 28U);
  EXPECT_EQ(point_text(family, family.points[0]), "x_seconds_bucket{le=\"1e-06\"} 3");
  EXPECT_EQ(point_text(family, family.points[24]), "x_seconds_bucket{le=\"100.0\"} 4");
  EXPECT_EQ(point_text(family, family.points[25]), "x_seconds_bucket{le=\"+Inf\"} 10");
  EXPECT_EQ(point_text(family, family.points[26]), "x_seconds_sum 0.002003");
  EXPECT_EQ(point_text(family, family.points[27]), "x_seconds_count 10");
}

TEST(Exposition, has_every_series_once_and_every_line_whole_whatever_the_report) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Report report = samples::any_report(seed);
    for (const std::string& text : {render_prometheus(report), render_openmetrics(report)}) {
      std::set<std::string> seen;
      for (const std::string& line : lines_of(text)) {
        ASSERT_FALSE(line.empty());
        ASSERT_EQ(line.find_first_of(std::string("\r\0", 2)), std::string::npos);
        if (line.starts_with("# ")) continue;
        ASSERT_TRUE(line.starts_with("volley_")) << line;
        ASSERT_TRUE(seen.insert(line.substr(0, series_end(line))).second) << seed << " " << line;
      }
      ASSERT_FALSE(seen.empty());
    }
    ASSERT_TRUE(render_openmetrics(report).ends_with("\n# EOF\n"));
  }
}

TEST(Exposition, has_times_that_go_forward_in_every_series) {
  std::size_t repeated = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Report report = samples::any_report(seed);
    for (RunReport& run : report.runs) run.status = "ok";
    if (report.runs.size() > 1) report.runs.push_back(report.runs.front());  // a second round
    std::map<std::string, double> last;
    for (const std::string& line : lines_of(render_openmetrics_timestamped(report))) {
      if (line.starts_with("# ")) continue;
      const std::string series = line.substr(0, series_end(line));
      const double at = std::stod(line.substr(line.rfind(' ')));
      ASSERT_GE(at, 1'795'353'178.123) << line;  // 2026-11-22T13:12:58.123Z
      const auto [known, first] = last.try_emplace(series, at);
      if (first) continue;
      ++repeated;
      ASSERT_GT(at, known->second) << seed << " " << line;
      known->second = at;
    }
  }
  EXPECT_GT(repeated, 100U);
}

TEST(Exposition, without_a_date_has_no_times) {
  Report report = samples::any_report(1);
  report.started_at = "yesterday";
  EXPECT_EQ(render_openmetrics_timestamped(report), "# EOF\n");
}

TEST(Timeline, reads_dates_and_refuses_what_is_none) {
  EXPECT_EQ(started_ms("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(started_ms("2026-11-22T13:12:58.123Z"), 1'795'353'178'123);
  EXPECT_EQ(started_ms("2024-02-29T00:00:00.5Z"), 1'709'164'800'500);
  for (const char* wrong : {"", "2026", "2026-02-29T00:00:00Z", "2026-11-22 13:12:58Z",
                            "2026-11-22T24:00:00Z", "2026-11-22T13:12:58", "2026-11-22T13:12:58.Z",
                            "2026-11-22T13:12:58.1x3Z", "x026-11-22T13:12:58Z"})
    EXPECT_EQ(started_ms(wrong), std::nullopt) << wrong;
}

TEST(Timeline, lays_runs_end_to_end) {
  Report report;
  report.runs.resize(2);
  for (RunReport& run : report.runs) {
    run.warm_up_s = 1;
    run.duration_s = 2;
    run.drain_s = 0.5;
  }
  report.runs[0].generator.wall_s = 4;
  const Timeline timeline = timeline_of(report);
  EXPECT_EQ(timeline.measured_from_ms, (std::vector<std::int64_t>{1000, 5000}));
  EXPECT_EQ(timeline.end_ms, 7500);
}

}  // namespace
}  // namespace volley
