// text.cpp, words.cpp and csv.cpp: what people and spreadsheets read.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "reports/render/renderer.hpp"
#include "reports/render/words.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

Report sample(const std::string& name) {
  for (const auto& [known, report] : samples::all())
    if (known == name) return report;
  ADD_FAILURE() << "no sample " << name;
  return {};
}

bool says(const std::string& text, const std::string& words) {
  if (text.find(words) != std::string::npos) return true;
  ADD_FAILURE() << "not found: " << words << "\n" << text;
  return false;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Text, names_the_model_of_the_load_in_words) {
  EXPECT_TRUE(says(render_text(sample("udp")), "open loop, poisson, 1,000/s intended"));
  EXPECT_TRUE(says(render_text(sample("tcp")),
                   "closed loop, 8 flows x 1 in flight: latency at whatever rate the server "
                   "allowed"));
}

TEST(Text, accounts_for_every_request) {
  const std::string text = render_text(sample("udp"));
  EXPECT_TRUE(says(text, "2,000 planned = 1,990 sent + 10 unsent + 0 skipped"));
  EXPECT_TRUE(says(text, "1,990 sent = 1,980 completed + 6 lost + 4 errors + 0 in flight"));
  EXPECT_TRUE(says(text, "2 of them answered late, 14 duplicates, 8 reordered"));
}

TEST(Text, says_of_the_conditions_what_is_not_as_it_was_asked) {
  Report report = sample("udp");
  EXPECT_TRUE(says(render_text(report),
                   "\nin fact   device eth0, qdisc fq_codel, mtu_bytes 1500, source 192.0.2.2, "
                   "rcvbuf_bytes 4194304\n          (asked: largest), sndbuf_bytes 4194304 "
                   "(asked: 8388608), offload_send divided by the\n          kernel (asked: auto), "
                   "cpus 0 1 (asked: pin on)\n"));
  for (Condition& condition : report.runs.at(0).conditions) condition.effective.reset();
  EXPECT_EQ(render_text(report).find("in fact"), std::string::npos);
  report.runs.at(0).conditions = {{"offload_send", "on", "not used"}, {"dscp", {}, "0"}};
  EXPECT_TRUE(says(render_text(report), "\nin fact   offload_send not used (asked: on)\n"));
}

TEST(Text, says_how_badly_answers_were_out_of_order_where_that_is_known) {
  Report report = sample("udp");
  EXPECT_EQ(render_text(report).find("reordered by"), std::string::npos);
  auto& figures = report.runs.at(0).protocol_figures;
  figures.insert(figures.end(), {{"n_reordered_3_ratio", 0.002},
                                 {"reordering_extent_p50", 3.0},
                                 {"reordering_extent_max", 9.0},
                                 {"reordering_late_p50_ns", 20e3},
                                 {"reordering_late_max_ns", 1.5e6}});
  EXPECT_TRUE(says(render_text(report),
                   "reordered by 3 answers and 20.0 us at p50, 9 and 1.50 ms at most; 0.200 % "
                   "3-reordered"));
  figures.back().second.reset();  // nothing was reordered
  EXPECT_EQ(render_text(report).find("reordered by"), std::string::npos);
}

TEST(Text, says_how_unevenly_round_trips_took_where_that_is_known) {
  Report report = sample("udp");
  EXPECT_EQ(render_text(report).find("jitter"), std::string::npos);
  auto& figures = report.runs.at(0).protocol_figures;
  figures.insert(figures.end(),
                 {{"jitter_ns", 3400.0}, {"pdv_p50_ns", 12e3}, {"pdv_p99_9_ns", 1.5e6}});
  EXPECT_TRUE(says(render_text(report),
                   "3.40 us jitter; service 12.0 us above its least at p50, 1.50 ms at p99.9"));
}

// The tcp sample with these figures, as one line of words.
std::string tcp_words(std::vector<std::pair<std::string, std::optional<double>>> figures,
                      std::uint64_t connections = 0) {
  Report report = sample("tcp");
  report.runs.at(0).protocol_figures = std::move(figures);
  report.runs.at(0).connect.count = connections;
  std::string words;
  std::istringstream in(render_text(report));
  for (std::string word; in >> word;) words += word + ' ';
  return words;
}

TEST(Text, says_how_tcp_fared_where_that_is_known) {
  EXPECT_TRUE(says(tcp_words({{"sent_bytes", 4e6},
                              {"retransmitted_bytes", 41'992.0},
                              {"retransmits", 29.0},
                              {"cwnd_mean", 175.4},
                              {"rtt_mean_ns", 32e6},
                              {"rtt_min_ns", 25e6},
                              {"tcp_efficiency_ratio", 0.98},
                              {"buffer_delay_ratio", 0.28},
                              {"transfer_time_ratio", 1.25}}),
                   "tcp 3.8 MiB sent, 41.0 KiB of it again (29 segments), window 175 segments on "
                   "average, round trip 32.0 ms on average, 25.0 ms at least; efficiency 98.00 %, "
                   "buffer delay 28.00 %, transfer time 1.25 times the ideal "));
  EXPECT_TRUE(says(tcp_words({{"sent_bytes", 4e6},
                              {"retransmitted_bytes", 0.0},
                              {"retransmits", 0.0},
                              {"cwnd_mean", std::nullopt}}),
                   "tcp 3.8 MiB sent, none of it again generator"));
  EXPECT_EQ(tcp_words({{"sent_bytes", std::nullopt}, {"retransmits", 0.0}}).find(" sent, "),
            std::string::npos);
}

TEST(Text, says_what_held_tcp_up_where_anything_did) {
  const auto held = [](double window, double buffer) {
    return tcp_words(
        {{"busy_us", 2e6}, {"rwnd_limited_ratio", window}, {"sndbuf_limited_ratio", buffer}});
  };
  EXPECT_TRUE(says(held(0.7, 0.0),
                   "held up of 2.00 s with something to send: 70.00 % by the "
                   "receiver's window, 0 % by the send buffer generator"));
  EXPECT_TRUE(says(held(0.0, 0.6), "60.00 % by the send buffer (give a larger --sndbuf) "));
  EXPECT_EQ(held(0.04, 0.04).find("held up"), std::string::npos);
}

TEST(Text, says_why_handshakes_waited_as_far_as_this_machine_can_tell) {
  const auto waited = [](double second, double third, std::optional<double> overflows) {
    return tcp_words({{"connect_syn_retries_1", second},
                      {"connect_syn_retries_2", third},
                      {"connect_syn_retries_3", 0.0},
                      {"listen_overflows", overflows}},
                     8);
  };
  EXPECT_TRUE(says(waited(6, 0, 10),
                   "connect 6 of the 8 connections waited 1 s or more for another "
                   "SYN: the server's accept queue was full (ListenOverflows 10) "));
  EXPECT_TRUE(says(waited(2, 1, 0),
                   "3 of the 8 connections waited 1 s or more for another SYN (2 for "
                   "a second one, 1 for a third, 0 for a fourth): one before it or "
                   "its answer was lost (no accept queue of this machine was full) "));
  EXPECT_TRUE(
      says(waited(1, 0, std::nullopt), "or the server's accept queue was full (ask there: "));
  EXPECT_TRUE(says(waited(0, 0, 3),
                   "an accept queue of this machine was full during the run "
                   "(ListenOverflows 3)"));
  EXPECT_EQ(waited(0, 0, 0).find("accept queue"), std::string::npos);
  EXPECT_EQ(waited(0, 0, std::nullopt).find("accept queue"), std::string::npos);
}

TEST(Text, says_nothing_of_figures_that_cannot_be) {
  const std::string words = tcp_words({{"sent_bytes", 1e300},
                                       {"retransmitted_bytes", 0.0},
                                       {"retransmits", 0.0},
                                       {"listen_overflows", 1e300}});
  EXPECT_EQ(words.find("none of it again"), std::string::npos);
  EXPECT_EQ(words.find("accept queue"), std::string::npos);
}

TEST(Text, prints_lost_where_a_percentile_lies_among_the_lost) {
  const std::string text = render_text(sample("long_udp"));
  EXPECT_TRUE(says(text, "158 us     lost     lost     lost"));
  EXPECT_TRUE(says(text, "of completed"));
  EXPECT_EQ(render_text(sample("tcp")).find("of completed"), std::string::npos);
}

TEST(Text, withholds_a_percentile_of_few_samples_and_says_how_many_it_takes) {
  const std::string text = render_text(sample("udp"));
  EXPECT_TRUE(says(text, "158 us    few     few     lost\n"));
  EXPECT_TRUE(
      says(text, "withheld: too few independent samples or events beyond; enough of this load"));
  EXPECT_TRUE(says(text, "10,000 for p99.9 (10.1 s), 100,000 for p99.99 (101 s)"));
  EXPECT_EQ(render_text(sample("long_udp")).find("few"), std::string::npos);
  EXPECT_TRUE(says(render_text(sample("duel")), "\nfew: withheld, too few independent"));
  EXPECT_EQ(render_text(sample("long_duel")).find("few"), std::string::npos);
}

TEST(Text, says_between_what_and_what_a_percentile_lies) {
  const std::string text = render_text(sample("tcp"));
  EXPECT_TRUE(says(text, "  95 % from   107 us   148 us   157 us\n"));
  EXPECT_TRUE(says(text, "  95 % to     112 us   151 us   158 us\n"));
}

TEST(Text, of_a_merge_says_so_and_shows_no_intervals) {
  const std::string text = render_text(sample("merged_long_connect"));
  EXPECT_EQ(text.rfind("merge of 2 reports: histograms added, counts summed\n\n", 0), 0U);
  Report report = sample("long_udp");
  ASSERT_TRUE(says(render_text(report), "\n  95 % from "));
  Claims& claims = *report.runs[0].response.claims;
  for (const PercentileKey& key : kPercentiles) {
    (claims.*key.claim).low.reset();
    (claims.*key.claim).high.reset();
  }
  EXPECT_EQ(render_text(report).find("\n  95 %"), std::string::npos);
}

Check lag_check(const std::string& key, CheckStatus status, const std::string& text) {
  Check check;
  check.id = "C1c";
  check.name = "send lag in " + key;
  check.status = status;
  check.affects = {"response." + key};
  check.text = text;
  return check;
}

TEST(Text, says_of_a_check_apart_where_it_fails_and_where_it_only_warns) {
  Report report = sample("udp");
  RunReport& run = report.runs.at(0);
  ASSERT_TRUE(run.checks && run.verdict);
  Check other = lag_check("p50", CheckStatus::warn, "Not steady.");
  other.id = "C3";
  run.checks = {lag_check("p50", CheckStatus::warn, "A little."),
                lag_check("p90", CheckStatus::fail, "Much."), other,
                lag_check("p99", CheckStatus::fail, "More.")};
  EXPECT_TRUE(says(render_text(report),
                   "\n  C1c     fail: Much. [p90, p99]\n"
                   "  C1c     warn: A little. [p50]\n"
                   "  C3      warn: Not steady. [p50]\n"));
  RunReport second = run;
  second.checks->erase(second.checks->begin());
  report.runs.push_back(second);
  const std::string text = render_text(report);
  EXPECT_TRUE(says(text,
                   "\n  C1c     fail in 2 of 2 runs: Much. [p90, p99]\n"
                   "  C1c     warn in 1 of 2 runs: A little. [p50]\n"
                   "  C3      warn in 2 of 2 runs: Not steady. [p50]\n"));
}

TEST(Text, says_of_a_check_apart_what_each_part_of_a_merge_says) {
  Report report = sample("udp");
  report.runs.at(0).checks = {lag_check("p50", CheckStatus::fail, "part 2: Much."),
                              lag_check("p90", CheckStatus::fail, "part 12: More."),
                              lag_check("p99", CheckStatus::fail, "part 2: Most.")};
  EXPECT_TRUE(says(render_text(report),
                   "\n  C1c     fail: part 2: Much. [p50, p99]\n"
                   "  C1c     fail: part 12: More. [p90]\n"));
}

TEST(Text, says_what_decided_even_where_there_is_too_little_of_the_number) {
  Report report = sample("udp");
  RunReport& run = report.runs.at(0);
  run.response.claims->p99.holds = false;
  run.response.claims->p99_9.holds = false;
  run.checks = {lag_check("p99", CheckStatus::fail, "Much."),
                lag_check("p99_9", CheckStatus::fail, "More.")};
  const std::string text = render_text(report);
  EXPECT_TRUE(says(text, "\n  C1c     fail: Much. [p99]\n"));
  EXPECT_EQ(text.find("More."), std::string::npos) << "nobody was told of a p99.9";
}

TEST(Text, says_what_to_do_about_troubles) {
  const std::string text = render_text(sample("udp"));
  EXPECT_TRUE(says(text, "10 no_buffers: the kernel had no room; lower the rate"));
  EXPECT_TRUE(says(text, "4 refused, first after 1.50 s, last after 2.50 s"));
  EXPECT_TRUE(says(text, "warning   the clock is slow; choose tsc"));
}

TEST(Text, of_a_duel_shows_udp_beside_tcp_and_ends_in_a_sentence) {
  const std::string text = render_text(sample("duel"));
  EXPECT_TRUE(says(text, "UDP      TCP  UDP/TCP"));
  EXPECT_TRUE(says(text, "whether the difference is more than chance has not been"));
  EXPECT_TRUE(text.ends_with("tested.\n")) << "it is the last thing that is said";
  EXPECT_TRUE(says(text, "pass  --fail-if 'p99>2ms': it is 158 us"));
  EXPECT_TRUE(says(text, "FAIL  --fail-if 'loss>0': it is 0.300 %"));
  EXPECT_TRUE(says(text,
                   "FAIL  --fail-if 'p99_9>1s': it could not be evaluated: "
                   "latency_ns.response.p99_9 is withheld"))
      << text;
}

TEST(Text, of_a_failure_says_what_where_and_which_code) {
  const std::string text = render_text(sample("failed"));
  EXPECT_TRUE(says(text, "FAILED    tcp://127.0.0.1:1: connection refused"));
  EXPECT_TRUE(says(text, "(refused, in phase setup)"));
}

TEST(Text, of_an_interrupted_run_says_so) {
  EXPECT_TRUE(says(render_text(sample("interrupted")), "interrupted before its end"));
}

TEST(Text, against_a_foreign_sink_claims_nothing_about_arrival) {
  const std::string text = render_text(sample("foreign_sink"));
  EXPECT_TRUE(says(text, "what arrived is unknown"));
  EXPECT_EQ(text.find("response"), std::string::npos);
}

TEST(Text, fits_100_columns) {
  for (const auto& [name, report] : samples::all())
    for (const std::string& line : lines_of(render_text(report)))
      EXPECT_LE(line.size(), 100U) << name << ": " << line;
}

TEST(Text, without_anything_to_tell_says_that) { EXPECT_EQ(render_text({}), "nothing was run\n"); }

TEST(Words, that_a_terminal_would_obey_are_replaced) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\xEF\xBF\xBD[2Jb");
  EXPECT_EQ(printable("\xff\xfe\n\xc3"), "\xEF\xBF\xBD");
  EXPECT_EQ(printable("é日本𝄞"), "é日本𝄞");
  EXPECT_EQ(printable("\xed\xa0\x80|\xf4\x90\x80\x80|\xe0\x80\x80"),
            "\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD");
}

TEST(Words, wrap_between_words_and_never_inside_one) {
  EXPECT_EQ(wrapped("ab ", "cc dd ee", 8), "ab cc dd\n   ee\n");
  EXPECT_EQ(wrapped("", "abcdefghij k", 5), "abcdefghij\nk\n");
  EXPECT_EQ(wrapped("a ", "", 5), "a \n");
}

TEST(Words, in_columns_stand_flush_by_what_is_seen_not_by_bytes) {
  EXPECT_EQ(columns({{"é", "1"}, {"ab", "22"}}), "é    1\nab  22\n");
}

// The fields of one CSV line by RFC 4180.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && in_quotes && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[i++];
    } else if (line[i] == '"') {
      in_quotes = !in_quotes;
    } else if (line[i] == ',' && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

TEST(Csv, has_a_header_and_a_line_for_each_run) {
  const auto lines = lines_of(render_csv(sample("duel")));
  ASSERT_EQ(lines.size(), 5U);
  const auto names = fields_of(lines[0]);
  for (std::size_t i = 1; i < lines.size(); ++i)
    EXPECT_EQ(fields_of(lines[i]).size(), names.size());
  EXPECT_EQ(lines_of(render_csv(sample("failed"))).size(), 1U);
}

TEST(Csv, leaves_missing_values_empty_and_says_why) {
  const auto lines = lines_of(render_csv(sample("udp")));
  const auto names = fields_of(lines[0]);
  const auto values = fields_of(lines[1]);
  const auto value = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? "no column"
                                : values[static_cast<std::size_t>(found - names.begin())];
  };
  EXPECT_EQ(value("sent"), "1990");
  EXPECT_EQ(value("errors"), "4");
  EXPECT_EQ(value("response_p99_9_ns"), "");
  EXPECT_EQ(value("response_beyond"), "lost");
  EXPECT_EQ(value("response_delivered_beyond"), "");
  EXPECT_EQ(value("service_max_ns"), "148900");
  EXPECT_EQ(value("connect_count"), "0");
  EXPECT_EQ(value("connect_p50_ns"), "");
}

TEST(Csv, quotes_commas_and_quotes_and_keeps_a_run_on_one_line) {
  Report report = sample("udp");
  report.runs[0].name = "a,\"b\"\n c";
  EXPECT_TRUE(says(render_csv(report), ",\"a,\"\"b\"\"\xEF\xBF\xBD c\",udp,"));
}

TEST(Renderer, is_found_by_its_word_only) {
  EXPECT_NE(find_format("json"), nullptr);
  EXPECT_EQ(find_format("JSON"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
  for (const std::string& name : format_names()) EXPECT_NE(find_format(name), nullptr);
}

}  // namespace
}  // namespace volley
