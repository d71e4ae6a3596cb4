// json.cpp and its readers: any report there and back, and every way a file can be hostile.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

// What reading the text says: "" when it is taken. Anything but RunError fails the test.
std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_report(text));
  } catch (const RunError& e) {
    EXPECT_EQ(e.code(), "bad_report");
    EXPECT_EQ(e.phase(), "report");
    return e.what();
  }
  return {};
}

bool is_refused_with(const std::string& text, const std::string& words) {
  const std::string what = refusal(text);
  if (what.find(words) != std::string::npos) return true;
  ADD_FAILURE() << "said: " << (what.empty() ? "(taken)" : what);
  return false;
}

Json sample_json() { return Json::parse(render_json(samples::all().front().second)); }

// A report with one value replaced.
std::string with(const std::string& pointer, const Json& value) {
  Json json = sample_json();
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

RC_GTEST_PROP(Json, read_back_renders_to_the_same_json_text_and_csv, (std::uint64_t seed)) {
  const Report report = samples::any_report(seed);
  const std::string json = render_json(report);
  const Report back = parse_report(json);
  RC_ASSERT(render_json(back) == json);
  RC_ASSERT(render_text(back) == render_text(report));
}

TEST(Json, of_every_kind_of_report_is_read_back) {
  for (const auto& [name, report] : samples::all()) {
    const std::string json = render_json(report);
    const Report back = parse_report(json);
    EXPECT_EQ(render_json(back), json) << name;
    EXPECT_EQ(render_text(back), render_text(report)) << name;
    EXPECT_EQ(render_csv(back), render_csv(report)) << name;
  }
}

TEST(Json, merging_what_was_read_back_is_merging_what_was_written) {
  for (const auto& [name, report] : samples::all()) {
    if (!report.parts.empty() || report.runs.empty() || name == "empty") continue;
    const std::string in_memory = render_json(samples::merged(report));
    const Report back = samples::merged(parse_report(render_json(report)));
    EXPECT_EQ(render_json(back), in_memory) << name;
    EXPECT_EQ(render_text(back), render_text(samples::merged(report))) << name;
  }
}

TEST(HostileJson, of_parts_that_are_no_parts_is_refused) {
  EXPECT_TRUE(is_refused_with(with("/parts", Json::array()), "/parts: fewer than two parts"));
  EXPECT_TRUE(is_refused_with(with("/parts", 3), "/parts: not an array"));
  Json merged = Json::parse(render_json(samples::merged(samples::all().front().second)));
  const auto changed = [&](const std::string& pointer, const Json& value) {
    Json json = merged;
    json[Json::json_pointer(pointer)] = value;
    return json.dump();
  };
  EXPECT_EQ(refusal(merged.dump()), "");
  EXPECT_TRUE(is_refused_with(changed("/parts/1/news", 1), "/parts/1/news: unknown key"));
  EXPECT_TRUE(is_refused_with(changed("/parts/0/status", "failed"), "/parts/0/status"));
  EXPECT_TRUE(is_refused_with(changed("/parts/0/lasted_s", -1), "/parts/0/lasted_s"));
  EXPECT_TRUE(is_refused_with(changed("/parts/0/runs/0/sent", -1), "/parts/0/runs/0/sent"));
  EXPECT_TRUE(is_refused_with(changed("/parts/0/runs/0/verdict", "GOOD"), "/runs/0/verdict"));
  merged.erase("parts");
  EXPECT_EQ(refusal(merged.dump()), "") << "a report of before there were merges";
}

TEST(Json, restores_the_histogram_of_what_was_delivered) {
  const Report report = samples::all().front().second;
  const Report back = parse_report(render_json(report));
  const Histogram& before = *report.runs[0].response.histogram;
  for (const LatencyFigures& f : {back.runs[0].response, back.runs[0].response_delivered}) {
    ASSERT_TRUE(f.histogram);
    EXPECT_EQ(f.histogram->count(), before.count());
    EXPECT_EQ(f.histogram->min(), before.min());
    EXPECT_EQ(f.histogram->max(), before.max());
    EXPECT_TRUE(std::equal(f.histogram->counters().begin(), f.histogram->counters().end(),
                           before.counters().begin()));
  }
}

TEST(Json, keeps_counts_that_no_double_can_hold) {
  Report report = samples::all().front().second;
  report.runs[0].bytes_sent = UINT64_MAX;
  report.runs[0].requests.held_back = (UINT64_C(1) << 53U) + 1;
  const Report back = parse_report(render_json(report));
  EXPECT_EQ(back.runs[0].bytes_sent, UINT64_MAX);
  EXPECT_EQ(back.runs[0].requests.held_back, (UINT64_C(1) << 53U) + 1);
}

TEST(Json, has_the_same_keys_for_udp_and_tcp_but_their_own) {
  const auto keys_of = [](const RunRecord& record) {
    const Json json = Json::parse(render_json(samples::report_of({summarize(record)})));
    std::vector<std::string> keys;
    for (const auto& [key, value] : json["runs"][0].items())
      keys.push_back(key == "udp" || key == "tcp" ? "own" : key);
    return keys;
  };
  EXPECT_EQ(keys_of(samples::udp_open_loop()), keys_of(samples::tcp_closed_loop()));
}

TEST(HostileJson, cut_at_any_byte_is_refused) {
  const std::string whole = render_json(samples::all().front().second);
  for (std::size_t n = 0; n + 2 < whole.size(); ++n)
    ASSERT_NE(refusal(whole.substr(0, n)), "") << n;
}

// Every value of a report, by its pointer.
void collect(const Json& json, const std::string& pointer, std::vector<std::string>& all) {
  if (!pointer.empty()) all.push_back(pointer);
  if (json.is_object())
    for (const auto& [key, value] : json.items()) collect(value, pointer + "/" + key, all);
  if (json.is_array() && !json.empty()) collect(json[0], pointer + "/0", all);
}

TEST(HostileJson, with_a_wrong_type_anywhere_is_refused_there_or_harmless) {
  const Json good = sample_json();
  std::vector<std::string> pointers;
  collect(good, "", pointers);
  EXPECT_GT(pointers.size(), 150U);
  const std::vector<Json> wrong{nullptr,
                                true,
                                -1,
                                3.9,
                                1e308,
                                UINT64_MAX,
                                "",
                                Json::array(),
                                Json::object(),
                                "x",
                                std::string(100'000, 'x')};
  for (const std::string& pointer : pointers) {
    for (const Json& value : wrong) {
      const Json::json_pointer place(pointer);
      Json bad = good;
      bad[place] = value;
      const std::string what = refusal(bad.dump());
      if (good[place].type() != value.type() && !good[place].is_null() && !value.is_null() &&
          !(good[place].is_number() && value.is_number())) {
        EXPECT_NE(what, "") << pointer << " = " << value.dump().substr(0, 40);
      }
      EXPECT_LT(what.size(), 1000U) << pointer;
    }
  }
}

// What a file says is merged without a word where it can be, and never ends the program.
TEST(HostileJson, with_a_huge_number_anywhere_is_merged_or_refused) {
  const Json good = sample_json();
  std::vector<std::string> pointers;
  collect(good, "", pointers);
  std::size_t merges = 0;
  std::size_t refusals = 0;
  for (const std::string& pointer : pointers) {
    const Json::json_pointer place(pointer);
    if (!good[place].is_number()) continue;
    for (const Json& value : {Json(UINT64_MAX), Json(1.7e308)}) {
      Json bad = good;
      bad[place] = value;
      try {
        const Report merged = samples::merged(parse_report(bad.dump()));
        EXPECT_EQ(refusal(render_json(merged)), "") << pointer;
        ++merges;
      } catch (const RunError& e) {
        EXPECT_TRUE(e.code() == "bad_report" || e.code() == "unmergeable") << e.code();
        ++refusals;
      }
    }
  }
  EXPECT_GT(merges, 20U);
  EXPECT_GT(refusals, 20U);
}

TEST(HostileJson, without_any_one_key_is_refused_with_the_place) {
  const Json good = sample_json();
  std::vector<std::string> pointers;
  collect(good, "", pointers);
  for (const std::string& pointer : pointers) {
    const Json::json_pointer place(pointer);
    const Json::json_pointer parent = place.parent_pointer();
    Json bad = good;
    Json& owner = parent.empty() ? bad : bad[parent];
    if (!owner.is_object()) continue;
    owner.erase(place.back());
    // Keys of a later version: reports without them are still read.
    const std::set<std::string> later{"hold",          "withheld",   "delay_by_place",
                                      "loss_by_place", "conditions", "parts"};
    if (later.count(place.back()) != 0 || pointer == "/runs/0/generator/calibration") continue;
    if (place.back() == "evidence" && good[place].is_null()) continue;
    const std::set<std::string> maps{"config", "host", "labels",        "errors",
                                     "unsent", "udp",  "socket_events", "numbers"};
    if (parent.empty() || maps.count(parent.back()) == 0) {
      EXPECT_TRUE(is_refused_with(bad.dump(), "no key \"" + place.back() + "\"")) << pointer;
    }
  }
}

TEST(HostileJson, with_a_wrong_number_names_the_place_the_value_and_the_range) {
  EXPECT_TRUE(is_refused_with(with("/runs/0/requests/sent", -1),
                              "/runs/0/requests/sent: not a whole number in range (-1) [0 to "));
  EXPECT_TRUE(is_refused_with(with("/runs/0/requests/sent", 3.5), "(3.5)"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/generator/threads", UINT64_MAX), "/runs/0/generator"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/latency_ns/service/p50", 3'600'000'000'001),
                              "[0 to 3600000000000]"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/duration_s", -0.5), "number out of range (-0.5)"));
}

TEST(HostileJson, with_huge_numbers_is_refused) {
  const auto with_number = [](const std::string& digits) {
    std::string text = with("/runs/0/requests/sent", "HERE");
    return text.replace(text.find("\"HERE\""), 6, digits);
  };
  EXPECT_NE(refusal(with_number("18446744073709551616")), "");
  EXPECT_NE(refusal(with_number(std::string(100'000, '9'))), "");
  EXPECT_NE(refusal(with_number("1e99999")), "");
  EXPECT_NE(refusal(with_number("-0")), "");
  EXPECT_NE(refusal(with_number("010")), "");
  EXPECT_NE(refusal(with_number("NaN")), "");
  EXPECT_EQ(refusal(with_number("18446744073709551615")), "");
}

TEST(HostileJson, with_broken_texts_is_refused) {
  const auto with_text = [](const std::string& raw) {
    std::string text = with("/runs/0/name", "HERE");
    return text.replace(text.find("HERE"), 4, raw);
  };
  for (const char* raw : {"\\uZZZZ", "\\u12", "\\ud800", "\\ud800\\u0041", "\\udc00", "\\", "\\x41",
                          "\xc2", "\xff", "\xed\xa0\x80", "\n", "\xc0\x80"})
    EXPECT_TRUE(is_refused_with(with_text(raw), "not JSON")) << raw;
  EXPECT_TRUE(is_refused_with(with_text(std::string(1, '\0')), "not JSON"));
  EXPECT_EQ(refusal(with_text("\\u0000 \\ud834\\udd1e \\u001b[2J")), "");
}

TEST(HostileJson, that_is_nested_too_deep_or_repeats_a_key_is_refused) {
  EXPECT_TRUE(is_refused_with(std::string(100'000, '['), "deeper than 64 levels"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(is_refused_with(objects, "deeper than 64 levels"));
  EXPECT_TRUE(is_refused_with(R"({"status":"ok","status":"ok"})", "stands twice"));
  EXPECT_EQ(refusal(R"([{"a":1},{"a":1}])").find("stands twice"), std::string::npos);
}

TEST(HostileJson, with_more_members_or_values_than_a_report_has_is_refused) {
  std::string many = "{";
  for (int i = 0; i < 5000; ++i) many += "\"" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(is_refused_with(many, "more than 4096 members"));
}

TEST(HostileJson, that_is_no_report_is_refused) {
  for (const char* text :
       {"", " ", "null", "1", "\"\"", "[]", "{}", "{\"schema_version\":1}", "nan"})
    EXPECT_NE(refusal(text), "") << text;
  EXPECT_NE(refusal(sample_json().dump() + "x"), "");
  EXPECT_TRUE(is_refused_with(with("/tool/name", "other"), "not a report of volley"));
}

TEST(HostileJson, of_another_major_version_is_refused_and_a_later_minor_one_is_read) {
  for (const char* version : {"2.0", "0.9", "1", "1.", ".0", "1.x", "", "11.0", "1.0.0", "-1.0",
                              "99999999999999999999.0"})
    EXPECT_TRUE(is_refused_with(with("/schema_version", version), "/schema_version")) << version;
  Json later = sample_json();
  later["schema_version"] = "1.7";
  later["news"] = 1;
  later["runs"][0]["news"] = Json::object();
  later["runs"][0]["jitter"] = "better";
  EXPECT_EQ(refusal(later.dump()), "");
  later["schema_version"] = "1.0";
  later["runs"][0]["jitter"] = nullptr;
  EXPECT_TRUE(is_refused_with(later.dump(), "/runs/0/news: unknown key"));
}

TEST(HostileJson, with_a_key_nobody_knows_is_refused) {
  EXPECT_TRUE(is_refused_with(with("/runs/0/load/news", 1), "/runs/0/load/news: unknown key (1)"));
  EXPECT_TRUE(is_refused_with(with("/a~1b~0c", 1), "/a~1b~0c: unknown key"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/requests/errors/gone", 1), "unknown kind"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/protocol", "sctp"), "[udp, tcp]"));
}

TEST(HostileJson, with_a_histogram_that_contradicts_its_count_is_refused) {
  EXPECT_TRUE(is_refused_with(with("/runs/0/latency_ns/service/count", 1979),
                              "/runs/0/latency_ns/service/histogram: it has 1980 samples"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/latency_ns/service/histogram", nullptr),
                              "no histogram for its samples"));
  EXPECT_TRUE(is_refused_with(with("/runs/0/latency_ns/service/histogram", "HISTFAAA"),
                              "/runs/0/latency_ns/service/histogram: "));
  EXPECT_TRUE(is_refused_with(with("/runs/0/latency_ns/response_delivered/count", 1),
                              "/runs/0/latency_ns/response"));
}

TEST(HostileJson, cannot_speak_to_the_terminal) {
  const Report back = parse_report(with("/runs/0/name", "\x1b[2Jname\r\n\xc2\x9b"));
  const std::string text = render_text(back);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  const std::string what = refusal(with("/runs/0/protocol", "\x1b[2J"));
  EXPECT_EQ(what.find('\x1b'), std::string::npos);
}

TEST(HostileJson, whose_counts_do_not_add_up_is_shown_with_a_warning) {
  const Report back = parse_report(with("/runs/0/requests/sent", UINT64_MAX));
  EXPECT_NE(render_text(back).find("does not hold"), std::string::npos);
}

}  // namespace
}  // namespace volley
