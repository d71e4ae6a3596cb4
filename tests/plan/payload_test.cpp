#include "generators/plan/payload.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using namespace std::string_literals;

template <typename F>
std::string refusal(F parse) {
  try {
    (void)parse();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SizeChooser, KeepsTheSharesOfAMix) {
  const auto shares = parse_size_mix("--size-mix", "64:7,576:4,1400:1");
  const SizeChooser chooser(shares, 3);
  std::map<std::uint32_t, int> seen;
  constexpr int draws = 120'000;
  for (std::uint32_t flow = 0; flow < 4; ++flow)
    for (std::uint64_t n = 0; n < draws / 4; ++n) ++seen[chooser.size_of(flow, n)];
  // Standard deviation of the rarest share: sqrt(120000 * 1/12 * 11/12) = 96; four of them.
  EXPECT_NEAR(seen[64], draws * 7 / 12, 700);
  EXPECT_NEAR(seen[576], draws * 4 / 12, 660);
  EXPECT_NEAR(seen[1400], draws / 12, 390);
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(chooser.largest(), 1400U);
  EXPECT_EQ(chooser.smallest(), 64U);
}

TEST(SizeChooser, DependsOnSeedFlowAndNumberOnly) {
  const auto shares = parse_size_mix("--size-mix", "1:1,2:1,3:1,4:1");
  const SizeChooser a(shares, 3);
  const SizeChooser b(shares, 3);
  const SizeChooser other_seed(shares, 4);
  int same_seed = 0;
  int same_flow = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    ASSERT_EQ(a.size_of(5, n), b.size_of(5, n));
    if (a.size_of(5, n) == other_seed.size_of(5, n)) ++same_seed;
    if (a.size_of(5, n) == a.size_of(6, n)) ++same_flow;
  }
  EXPECT_NEAR(same_seed, 250, 60);
  EXPECT_NEAR(same_flow, 250, 60);
}

TEST(SizeMix, GivesABareSizeTheWeightOne) {
  const auto shares = parse_size_mix("--size-mix", "64,1KiB:3");
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0].bytes, 64U);
  EXPECT_EQ(shares[0].weight, 1U);
  EXPECT_EQ(shares[1].bytes, 1024U);
  EXPECT_EQ(shares[1].weight, 3U);
}

TEST(SizeMix, RefusesWhatIsNoList) {
  for (const char* text : {"", "64:", ":3", "64,,65", "64:0", "0:1", "64:-1", "64:1,", "64:1:2",
                           "1e3:1", "64:nan", "999G:1"}) {
    EXPECT_EQ(refusal([&] { return parse_size_mix("--size-mix", text); }).rfind("--size-mix: ", 0),
              0U)
        << text;
  }
  std::string many = "64";
  for (int i = 0; i < 64; ++i) many += ",64";
  EXPECT_NE(refusal([&] { return parse_size_mix("--size-mix", many); }).find("too many sizes"),
            std::string::npos);
}

TEST(Unescape, KnowsTheEscapesOfC) {
  EXPECT_EQ(unescape("t", R"(GET / HTTP/1.1\r\n\r\n)"), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(unescape("t", R"(\a\b\e\f\n\r\t\v\\\"\')"), "\a\b\x1b\f\n\r\t\v\\\"'");
  EXPECT_EQ(unescape("t", R"(a\0b)"), "a\0b"s);
  EXPECT_EQ(unescape("t", R"(\x41\x4a\x4Bg\x7)"), "AJKg\x07");
  EXPECT_EQ(unescape("t", R"(\101\60\0018)"),
            "A0\x01"
            "8");
  EXPECT_EQ(unescape("t", R"(\377)"), "\xff");
  EXPECT_EQ(unescape("t", ""), "");
}

TEST(Unescape, RefusesWhatItDoesNotKnow) {
  for (const char* text : {R"(\q)", R"(\)", R"(abc\)", R"(\x)", R"(\xg1)", R"(\400)", R"(\8)"})
    EXPECT_NE(refusal([&] { return unescape("--send", text); }).find("--send: not an escape"),
              std::string::npos)
        << text;
}

RC_GTEST_PROP(Unescape, GivesBytesOrRefusesArbitraryText, (const std::string& text)) {
  try {
    RC_ASSERT(unescape("t", text).size() <= text.size());
  } catch (const UsageError&) {
    RC_ASSERT(text.find('\\') != std::string::npos);
  }
}

TEST(Bytes, ComeFromTextHexOrAFile) {
  EXPECT_EQ(parse_bytes("--request", R"(PING\r\n)"), "PING\r\n");
  EXPECT_EQ(parse_bytes("--request", "hex:4f4B00ff"), "OK\0\xff"s);
  EXPECT_EQ(parse_bytes("--request", "hex:"), "");
  const std::string path = testing::TempDir() + "volley_payload_test.bin";
  std::ofstream(path, std::ios::binary) << R"(a\n)" << '\n' << '\0';
  EXPECT_EQ(parse_bytes("--request", "@" + path), "a\\n\n\0"s) << "a file is taken as it is";
  std::remove(path.c_str());
}

TEST(Bytes, RefuseBadHexAndTellOfUnreadableFiles) {
  EXPECT_NE(refusal([] { return parse_bytes("--request", "hex:abc"); }).find("half a byte"),
            std::string::npos);
  EXPECT_NE(refusal([] { return parse_bytes("--request", "hex:4x"); }).find("not hex digits (4x)"),
            std::string::npos);
  for (const char* path : {"@", "@/nonexistent/file", "@/"}) {
    try {
      (void)parse_bytes("--request", path);
      ADD_FAILURE() << path;
    } catch (const RunError& error) {
      EXPECT_EQ(error.code(), "unreadable_file") << path;
      EXPECT_EQ(error.phase(), "plan");
    }
  }
  EXPECT_NE(refusal([] { return parse_bytes("--request", "@/dev/zero"); }).find("too large a file"),
            std::string::npos);
}

TEST(Reply, IsOneOfFourRules) {
  EXPECT_EQ(parse_reply("--reply", "any").kind, ReplyRule::Kind::any);
  EXPECT_EQ(parse_reply("--reply", "close").kind, ReplyRule::Kind::close);
  const auto length = parse_reply("--reply", "length:4KiB");
  EXPECT_EQ(length.kind, ReplyRule::Kind::length);
  EXPECT_EQ(length.length, 4096U);
  const auto until = parse_reply("--reply", R"(until:\r\n)");
  EXPECT_EQ(until.kind, ReplyRule::Kind::until);
  EXPECT_EQ(until.text, "\r\n");
}

TEST(Reply, RefusesAnyOtherRule) {
  for (const char* text : {"", "length", "length:", "length:0", "length:-1", "until:", "anything",
                           "closed", "Any", "until", "length:9999G"})
    EXPECT_EQ(refusal([&] { return parse_reply("--reply", text); }).rfind("--reply: ", 0), 0U)
        << text;
  EXPECT_EQ(refusal([] { return parse_reply("--reply", "eof"); }),
            "--reply: not a rule for the end of an answer (eof) [length:N until:TEXT close any]; "
            "choose one of these");
}

TEST(Filler, PrintsDependsOnTheSeedAndDoesNotRepeat) {
  std::array<std::byte, 1000> a{};
  std::array<std::byte, 1000> b{};
  fill_payload(a, 1);
  fill_payload(b, 1);
  EXPECT_EQ(a, b);
  fill_payload(b, 2);
  EXPECT_NE(a, b);
  for (const std::byte byte : a) ASSERT_TRUE(std::isgraph(std::to_integer<int>(byte)));
  fill_payload(std::span<std::byte>(), 1);
}

}  // namespace
}  // namespace volley
