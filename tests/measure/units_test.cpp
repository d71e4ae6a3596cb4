// Numbers with units: every refusal by name, and print and parse as inverses of each other.
#include "reports/measure/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr Nanos kLongest = Nanos::max();

// What no parser may take, whatever the unit: signs, exponents, words, blanks, half numbers, a
// leading zero (octal to some readers), digits of other scripts, a NUL.
const std::vector<std::string>& never_a_number() {
  static const std::vector<std::string> texts{"",
                                              "-1",
                                              "+1",
                                              "010",
                                              "00",
                                              "01.5",
                                              "1e300",
                                              "1e3",
                                              "nan",
                                              "NaN",
                                              "inf",
                                              "-inf",
                                              "infinity",
                                              "0x10",
                                              "10kk",
                                              " 5",
                                              "5 ",
                                              "5\n",
                                              "\t5",
                                              "1.",
                                              ".5",
                                              ".",
                                              "1..5",
                                              "1.5.5",
                                              "1,5",
                                              "1_000",
                                              "1'000",
                                              "--5",
                                              "k",
                                              "/s",
                                              "s",
                                              "%",
                                              "5 s",
                                              "5kib",
                                              "5 %",
                                              "1%%",
                                              "5/",
                                              "5//s",
                                              "5/m",
                                              "1e",
                                              "٣",
                                              "１",
                                              std::string("5\0", 2),
                                              std::string(100000, '1') + "x",
                                              "0.0000000000000000001",
                                              "1.5.",
                                              "~1",
                                              "1-2"};
  return texts;
}

template <typename Parse>
std::string refusal(Parse parse) {
  try {
    parse();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "taken";
}

std::string duration_refusal(std::string_view text, Nanos min = 0ns, Nanos max = kLongest) {
  return refusal([&] { (void)parse_duration("--timeout", text, min, max); });
}
std::string size_refusal(std::string_view text, std::uint64_t min = 0, std::uint64_t max = kMost) {
  return refusal([&] { (void)parse_size("--size", text, min, max); });
}
std::string rate_refusal(std::string_view text) {
  return refusal([&] { (void)parse_rate("--rate", text); });
}
std::string count_refusal(std::string_view text, std::uint64_t min = 0, std::uint64_t max = kMost) {
  return refusal([&] { (void)parse_count("--flows", text, min, max); });
}
std::string ratio_refusal(std::string_view text) {
  return refusal([&] { (void)parse_ratio("--drop", text); });
}

TEST(Units, text_that_is_no_plain_decimal_number_is_refused_by_every_parser) {
  for (const std::string& text : never_a_number()) {
    EXPECT_TRUE(duration_refusal(text).starts_with("--timeout: not a time (")) << text;
    EXPECT_TRUE(size_refusal(text).starts_with("--size: not a size (")) << text;
    EXPECT_TRUE(rate_refusal(text).starts_with("--rate: not a rate (")) << text;
    EXPECT_TRUE(count_refusal(text).starts_with("--flows: not a whole number (")) << text;
    EXPECT_TRUE(ratio_refusal(text).starts_with("--drop: not a share (")) << text;
  }
}

TEST(Units, a_refusal_names_the_subject_the_value_what_is_allowed_and_the_way_out) {
  EXPECT_EQ(duration_refusal("10kk", 1ms, 1h),
            "--timeout: not a time (10kk) [1ms to 1h]; write it like 90us, 1.5ms, 10s or 2m");
  EXPECT_EQ(duration_refusal("2h", 1ms, 1h),
            "--timeout: time out of range (2h) [1ms to 1h]; choose a time in that range");
  EXPECT_EQ(size_refusal("70000", 1, 65507),
            "--size: size out of range (70000) [1 to 65507 bytes]; choose a size in that range");
  EXPECT_EQ(rate_refusal("10kk"),
            "--rate: not a rate (10kk) [0.000001/s to 1G/s]; write it like 500/s, 10k or 1.5M/s");
  EXPECT_EQ(count_refusal("0", 1),
            "--flows: number out of range (0) [1 or more]; choose a number in that range");
  EXPECT_EQ(count_refusal("010", 1, 64),
            "--flows: not a whole number (010) [1 to 64]; write it like 8, 20000 or 20k");
  EXPECT_EQ(ratio_refusal("101%"),
            "--drop: share out of range (101%) [0% to 100%, or 0 to 1]; choose one in that range");
}

TEST(Units, numbers_too_large_for_64_bits_are_out_of_range_and_never_wrap_around) {
  for (const std::string text :
       {"18446744073709551616", "99999999999999999999", "340282366920938463463374607431768211456"})
    EXPECT_NE(count_refusal(text).find("out of range"), std::string::npos) << text;
  const std::string endless(5000, '9');
  EXPECT_NE(count_refusal(endless).find("out of range"), std::string::npos);
  EXPECT_NE(count_refusal(endless + "G").find("out of range"), std::string::npos);
  EXPECT_NE(size_refusal(endless + "GiB").find("out of range"), std::string::npos);
  EXPECT_NE(rate_refusal(endless + "G/s").find("out of range"), std::string::npos);
  EXPECT_NE(ratio_refusal(endless + "%").find("out of range"), std::string::npos);
  EXPECT_NE(duration_refusal(endless + "h").find("out of range"), std::string::npos);
  EXPECT_NE(duration_refusal("2562048h").find("out of range"), std::string::npos);
  EXPECT_EQ(parse_count("--seed", "18446744073709551615", 0), kMost);
  EXPECT_EQ(parse_duration("t", "9223372036.854775807s", 0ns, kLongest), kLongest);
  EXPECT_NE(duration_refusal("9223372036.854775808s").find("out of range"), std::string::npos);
}

TEST(Units, durations_need_a_unit_and_whole_nanoseconds) {
  EXPECT_EQ(parse_duration("t", "90us", 0ns, 1h), 90us);
  EXPECT_EQ(parse_duration("t", "1.5ms", 0ns, 1h), 1500us);
  EXPECT_EQ(parse_duration("t", "10s", 0ns, 1h), 10s);
  EXPECT_EQ(parse_duration("t", "2m", 0ns, 1h), 2min);
  EXPECT_EQ(parse_duration("t", "0.5h", 0ns, 1h), 30min);
  EXPECT_EQ(parse_duration("t", "250ns", 0ns, 1h), 250ns);
  EXPECT_EQ(parse_duration("t", "0", 0ns, 1h), 0ns);
  EXPECT_EQ(parse_duration("t", "0s", 0ns, 1h), 0ns);
  for (const std::string text : {"5", "1", "10", "0.5ns", "0.0001us", "5S", "5sec", "5MS", "0.0"})
    EXPECT_NE(duration_refusal(text).find("not a time"), std::string::npos) << text;
  EXPECT_NE(duration_refusal("0", 1ns).find("out of range"), std::string::npos);
}

TEST(Units, sizes_know_powers_of_1000_and_of_1024) {
  const auto size = [](std::string_view text) { return parse_size("s", text, 0, kMost); };
  EXPECT_EQ(size("64"), 64U);
  EXPECT_EQ(size("64B"), 64U);
  EXPECT_EQ(size("4k"), 4'000U);
  EXPECT_EQ(size("4kB"), 4'000U);
  EXPECT_EQ(size("4KiB"), 4'096U);
  EXPECT_EQ(size("1MB"), 1'000'000U);
  EXPECT_EQ(size("1.5MiB"), 1'572'864U);
  EXPECT_EQ(size("2GiB"), 2'147'483'648U);
  EXPECT_EQ(size("0"), 0U);
  for (const std::string text : {"1.5", "0.3KiB", "4Kib", "4 KiB", "4mb", "1TB"})
    EXPECT_NE(size_refusal(text).find("not a size"), std::string::npos) << text;
}

TEST(Units, rates_are_exact_to_a_millionth_and_never_zero) {
  const auto rate = [](std::string_view text) { return parse_rate("r", text).micro_per_s; };
  EXPECT_EQ(rate("500/s"), 500'000'000U);
  EXPECT_EQ(rate("500"), 500'000'000U);
  EXPECT_EQ(rate("10k"), 10'000'000'000U);
  EXPECT_EQ(rate("1.5M/s"), 1'500'000'000'000U);
  EXPECT_EQ(rate("0.5/s"), 500'000U);
  EXPECT_EQ(rate("0.000001"), 1U);
  EXPECT_EQ(rate("1G/s"), 1'000'000'000'000'000U);
  for (const std::string text : {"0", "0/s", "0.0k", "1.000001G", "2G"})
    EXPECT_NE(rate_refusal(text).find("out of range"), std::string::npos) << text;
  for (const std::string text : {"0.0000001", "10/min", "10hz", "5K"})
    EXPECT_NE(rate_refusal(text).find("not a rate"), std::string::npos) << text;
}

TEST(Units, bit_rates_are_exact_and_need_their_unit) {
  const auto rate = [](std::string_view text) { return parse_bit_rate("r", text); };
  EXPECT_EQ(rate("100Mbit/s"), 100'000'000U);
  EXPECT_EQ(rate("12.5MB/s"), 100'000'000U);
  EXPECT_EQ(rate("1KiB/s"), 8'192U);
  EXPECT_EQ(rate("1kbit/s"), 1'000U);
  EXPECT_EQ(rate("1000Gbit/s"), 1'000'000'000'000U);
  for (const char* text : {"", "100", "100M", "100Mb/s", "100 Mbit/s", "999bit/s", "1001Gbit/s",
                           "0.00000001Mbit/s", "-1Mbit/s"})
    EXPECT_THROW((void)rate(text), UsageError) << text;
  EXPECT_EQ(format_bit_rate_exact(1'500'000'000), "1.5Gbit/s");
  EXPECT_EQ(format_bit_rate_exact(8'192), "8.192kbit/s");
}

RC_GTEST_PROP(Units, a_printed_bit_rate_reads_back, ()) {
  const auto rate = *rc::gen::inRange<std::uint64_t>(1'000, 1'000'000'000'001);
  RC_ASSERT(parse_bit_rate("r", format_bit_rate_exact(rate)) == rate);
}

TEST(Units, counts_are_whole) {
  EXPECT_EQ(parse_count("n", "20k", 0), 20'000U);
  EXPECT_EQ(parse_count("n", "1.5k", 0), 1'500U);
  EXPECT_EQ(parse_count("n", "1M", 0), 1'000'000U);
  EXPECT_NE(count_refusal("1.5").find("not a whole number"), std::string::npos);
  EXPECT_NE(count_refusal("1.0005k").find("not a whole number"), std::string::npos);
}

TEST(Units, shares_are_the_nearest_double_however_they_are_written) {
  EXPECT_EQ(parse_ratio("p", "1%"), 0.01);
  EXPECT_EQ(parse_ratio("p", "0.1%"), 0.001);
  EXPECT_EQ(parse_ratio("p", "0.001"), 0.001);
  EXPECT_EQ(parse_ratio("p", "29.7%"), 0.297);
  EXPECT_EQ(parse_ratio("p", "100%"), 1.0);
  EXPECT_EQ(parse_ratio("p", "1"), 1.0);
  EXPECT_EQ(parse_ratio("p", "0"), 0.0);
  EXPECT_NE(ratio_refusal("1.000001").find("out of range"), std::string::npos);
  EXPECT_NE(ratio_refusal("100.1%").find("out of range"), std::string::npos);
}

RC_GTEST_PROP(Units, an_exact_duration_parses_back_to_itself, ()) {
  const auto bits = *rc::gen::inRange(0, 63);
  const auto ns =
      static_cast<std::int64_t>(*rc::gen::arbitrary<std::uint64_t>() >> (63 - bits) >> 1);
  RC_ASSERT(parse_duration("t", format_duration_exact(Nanos(ns)), 0ns, kLongest) == Nanos(ns));
}

RC_GTEST_PROP(Units, an_exact_duration_in_any_unit_parses_back_to_itself, ()) {
  const auto unit = *rc::gen::element<std::int64_t>(1, 1'000, 1'000'000, 1'000'000'000,
                                                    60'000'000'000, 3'600'000'000'000);
  const Nanos t(unit * *rc::gen::inRange<std::int64_t>(0, 10'000));
  RC_ASSERT(parse_duration("t", format_duration_exact(t), 0ns, kLongest) == t);
}

RC_GTEST_PROP(Units, an_exact_rate_parses_back_to_itself, ()) {
  const Rate rate{*rc::gen::inRange<std::uint64_t>(1, 1'000'000'000'000'001)};
  RC_ASSERT(parse_rate("r", format_rate_exact(rate)) == rate);
}

RC_GTEST_PROP(Units, a_count_parses_back_to_itself, (std::uint64_t n)) {
  RC_ASSERT(parse_count("n", std::to_string(n), 0) == n);
}

RC_GTEST_PROP(Units, any_text_is_taken_or_refused_and_nothing_else, (const std::string& text)) {
  // A parser that throws anything but UsageError fails here.
  (void)duration_refusal(text);
  (void)size_refusal(text);
  (void)rate_refusal(text);
  (void)count_refusal(text);
  (void)ratio_refusal(text);
}

RC_GTEST_PROP(Units, near_numbers_are_taken_or_refused_within_their_range, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("0123456789.kMGiBsmhun/% -e")));
  try {
    RC_ASSERT(parse_count("n", text, 3, 5'000) <= 5'000U);
  } catch (const UsageError&) {
  }
  try {
    const double share = parse_ratio("p", text);
    RC_ASSERT(share >= 0.0);
    RC_ASSERT(share <= 1.0);
  } catch (const UsageError&) {
  }
  try {
    RC_ASSERT(parse_duration("t", text, 1us, 1h) >= Nanos(1us));
  } catch (const UsageError&) {
  }
}

TEST(Units, durations_are_printed_with_three_significant_digits) {
  EXPECT_EQ(format_duration(0ns), "0 ns");
  EXPECT_EQ(format_duration(412ns), "412 ns");
  EXPECT_EQ(format_duration(999ns), "999 ns");
  EXPECT_EQ(format_duration(1us), "1.00 us");
  EXPECT_EQ(format_duration(12'345ns), "12.3 us");
  EXPECT_EQ(format_duration(999'499ns), "999 us");
  EXPECT_EQ(format_duration(999'500ns), "1.00 ms");
  EXPECT_EQ(format_duration(9'995us), "10.0 ms");
  EXPECT_EQ(format_duration(1'840us), "1.84 ms");
  EXPECT_EQ(format_duration(2s), "2.00 s");
  EXPECT_EQ(format_duration(90s), "90.0 s");
  EXPECT_EQ(format_duration(1h), "3600 s");
  EXPECT_EQ(format_duration(-150us), "-150 us");
}

TEST(Units, exact_durations_cover_the_whole_range_of_the_type) {
  EXPECT_EQ(format_duration_exact(0ns), "0");
  EXPECT_EQ(format_duration_exact(90us), "90us");
  EXPECT_EQ(format_duration_exact(1500us), "1.5ms");
  EXPECT_EQ(format_duration_exact(90s), "90s");
  EXPECT_EQ(format_duration_exact(2min), "2m");
  EXPECT_EQ(format_duration_exact(1h), "1h");
  EXPECT_EQ(format_duration_exact(-90us), "-90us");
  EXPECT_EQ(format_duration_exact(Nanos::max()), "9223372036.854775807s");
  EXPECT_EQ(format_duration_exact(Nanos::min()), "-9223372036.854775808s");
}

TEST(Units, other_quantities_are_printed_for_people) {
  EXPECT_EQ(format_rate(17'512.3), "17,512/s");
  EXPECT_EQ(format_rate(0.5), "0.50/s");
  EXPECT_EQ(format_rate(12.34), "12.3/s");
  EXPECT_EQ(format_rate(12'500'000), "12.50M/s");
  EXPECT_EQ(format_rate_exact(Rate{500'000}), "0.5/s");
  EXPECT_EQ(format_rate_exact(Rate{500'000'000}), "500/s");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(20'000), "20,000");
  EXPECT_EQ(format_count(kMost), "18,446,744,073,709,551,615");
  EXPECT_EQ(format_size(64), "64 B");
  EXPECT_EQ(format_size(4'096), "4 KiB");
  EXPECT_EQ(format_size(1'572'864), "1.5 MiB");
  EXPECT_EQ(format_bits_per_s(512), "512 bit/s");
  EXPECT_EQ(format_bits_per_s(9.2e6), "9.20 Mbit/s");
  EXPECT_EQ(format_bits_per_s(999.7e6), "1.00 Gbit/s");
  EXPECT_EQ(format_ratio(0), "0 %");
  EXPECT_EQ(format_ratio(0.00013), "0.013 %");
  EXPECT_EQ(format_ratio(0.125), "12.50 %");
  EXPECT_EQ(format_ratio(1e-9), "< 0.001 %");
}

TEST(Units, a_report_is_dated_in_utc_with_milliseconds) {
  EXPECT_EQ(format_utc(WallTime(Nanos(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(WallTime(Nanos(1'795'353'178'123'456'789))), "2026-11-22T13:12:58.123Z");
}

}  // namespace
}  // namespace volley
