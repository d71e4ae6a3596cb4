// hdr.cpp and base64.cpp: the vectors of other implementations, any histogram there and back, and
// hostile texts.
#include "reports/render/hdr.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reports/render/base64.hpp"

namespace volley {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Without the zeros behind the last counter in use, as the encoding has them.
std::vector<std::uint64_t> used_counters(const Histogram& h) {
  std::vector<std::uint64_t> counters(h.counters().begin(), h.counters().end());
  while (!counters.empty() && counters.back() == 0) counters.pop_back();
  return counters;
}

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(decode_hdr(text));
  } catch (const BadHdr& e) {
    return e.what();
  }
  return "taken";
}

TEST(Hdr, reads_the_single_value_that_java_wrote) {
  const auto counters = decode_hdr("HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AMIKZAEARAtM=");
  ASSERT_EQ(counters.size(), 43U);
  EXPECT_EQ(counters[42], 1U);
  EXPECT_EQ(std::count(counters.begin(), counters.end(), 0U), 42);
}

TEST(Hdr, reads_a_value_with_a_counter_of_several_nanoseconds) {
  const auto counters = decode_hdr("HISTFAAAACV4nJNpmSzMwMDAwgABzFCaEch0M9ixgMH+A0Tg4DpGJgBlCwXB");
  Histogram h;
  h.record(1'000'000, 1);
  EXPECT_EQ(counters, used_counters(h));
}

TEST(Hdr, reads_an_empty_histogram) {
  EXPECT_TRUE(decode_hdr("HISTFAAAAB14nJNpmSzMgADMUJoRyHQz2LGAwf4DRAAATjkESw==").empty());
}

TEST(Hdr, writes_what_it_reads_for_the_smallest_and_largest_values) {
  Histogram h;
  EXPECT_TRUE(decode_hdr(encode_hdr(h)).empty());
  h.record(0, 1);
  h.record(1, UINT64_C(1) << 62U);
  h.record(Histogram::kHighest, 7);
  EXPECT_EQ(decode_hdr(encode_hdr(h)), used_counters(h));
}

RC_GTEST_PROP(Hdr, writes_what_it_reads_for_any_histogram, ()) {
  Histogram h;
  for (const auto& [value, bits] :
       *rc::gen::container<std::vector<std::pair<std::int64_t, unsigned>>>(rc::gen::pair(
           rc::gen::inRange<std::int64_t>(0, Histogram::kHighest), rc::gen::inRange(0U, 56U))))
    h.record(value >> (bits % 40), UINT64_C(1) << bits);
  RC_ASSERT(decode_hdr(encode_hdr(h)) == used_counters(h));
}

TEST(Hdr, cut_anywhere_is_refused) {
  Histogram h;
  for (std::int64_t i = 0; i < 100; ++i) h.record(i * i * i, 1);
  const std::string whole = encode_hdr(h);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_NE(refusal(whole.substr(0, n)), "taken") << n;
}

TEST(Hdr, with_any_byte_changed_is_refused_or_taken_but_never_trips_over_it) {
  Histogram h;
  for (std::int64_t i = 0; i < 100; ++i) h.record(i * i * i, 1);
  const auto bytes = *decode_base64(encode_hdr(h));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
      Bytes changed = bytes;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ mask);
      EXPECT_NE(refusal(encode_base64(changed)), "");
    }
}

// A histogram around a payload of our making; zlib in one stored block, so that no compressor is
// needed here: 78 01, then 01 LEN ~LEN bytes, then Adler-32.
std::string around(const Bytes& payload, std::uint32_t digits = 3,
                   std::uint32_t announced_extra = 0) {
  Bytes plain;
  const auto put = [](Bytes& to, std::uint64_t value, unsigned size) {
    while (size-- > 0) to.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
  };
  put(plain, 0x1c849313, 4);
  put(plain, payload.size() + announced_extra, 4);
  put(plain, 0, 4);
  put(plain, digits, 4);
  put(plain, 1, 8);
  put(plain, 3'600'000'000'000, 8);
  put(plain, 0x3ff0'0000'0000'0000, 8);
  plain.insert(plain.end(), payload.begin(), payload.end());
  Bytes zlib{0x78, 0x01, 0x01};
  const auto size = static_cast<std::uint16_t>(plain.size());
  for (const auto word : {size, static_cast<std::uint16_t>(~size)}) {
    zlib.push_back(static_cast<std::uint8_t>(word));
    zlib.push_back(static_cast<std::uint8_t>(word >> 8U));
  }
  zlib.insert(zlib.end(), plain.begin(), plain.end());
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : plain) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  put(zlib, (b << 16U) | a, 4);
  Bytes outer;
  put(outer, 0x1c849314, 4);
  put(outer, zlib.size(), 4);
  outer.insert(outer.end(), zlib.begin(), zlib.end());
  return encode_base64(outer);
}

TEST(Hdr, takes_both_spellings_of_one_empty_counter) {
  const std::vector<std::uint64_t> expected{0, 5};
  EXPECT_EQ(decode_hdr(around({0x00, 0x0a})), expected);  // 0, 5
  EXPECT_EQ(decode_hdr(around({0x01, 0x0a})), expected);  // -1, 5
}

TEST(Hdr, refuses_more_empty_counters_than_there_are) {
  // -2^62 and -2^63 as ZigZag.
  EXPECT_EQ(refusal(around({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})),
            "more counters than a histogram up to 1 h has");
  EXPECT_EQ(refusal(around({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
            "more counters than a histogram up to 1 h has");
}

TEST(Hdr, refuses_counts_that_add_up_to_more_than_64_bits) {
  const Bytes most{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};  // 2^63 - 1
  Bytes payload = most;
  payload.insert(payload.end(), most.begin(), most.end());
  EXPECT_EQ(refusal(around(payload)), "taken");  // 2^64 - 2
  payload.insert(payload.end(), {0x02, 0x02});
  EXPECT_EQ(refusal(around(payload)), "its counts add up to more than 64 bits hold");
}

TEST(Hdr, refuses_a_cut_number_and_a_wrong_length_and_other_layouts) {
  EXPECT_EQ(refusal(around({0x80})), "its last counter is cut");
  EXPECT_EQ(refusal(around({0x02}, 3, 1)), "its payload's length is not the one it announces");
  EXPECT_EQ(refusal(around({0x02}, 3, 0xffffffff)),
            "its payload's length is not the one it announces");
  EXPECT_EQ(refusal(around({0x02}, 2)), "not 3 significant digits from 1");
}

TEST(Hdr, refuses_what_is_no_histogram) {
  EXPECT_EQ(refusal(""), "not an HdrHistogram in V2 compressed encoding");
  EXPECT_EQ(refusal("AAAA"), "not an HdrHistogram in V2 compressed encoding");
  EXPECT_EQ(refusal("%%%%"), "not base64");
  EXPECT_EQ(refusal(std::string(std::size_t{1} << 20U, 'A')),
            "longer than any histogram up to 1 h");
}

TEST(Base64, is_that_of_rfc_4648) {
  const auto encode = [](const std::string& text) {
    return encode_base64(Bytes(text.begin(), text.end()));
  };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, refuses_second_spellings_and_broken_padding) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v",
                           "Zm9v\n", "Zm9-", "=Zm9"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

RC_GTEST_PROP(Base64, reads_what_it_writes, (const Bytes& bytes)) {
  const auto back = decode_base64(encode_base64(bytes));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == bytes);
}

}  // namespace
}  // namespace volley
