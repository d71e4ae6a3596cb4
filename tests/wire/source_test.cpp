// Which addresses a --source stands for.
#include "targets/wire/source.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

std::string nth(std::string_view text, std::uint64_t n) {
  return parse_source("--source", text).at(n).ip();
}
std::uint64_t count(std::string_view text) { return parse_source("--source", text).count(); }

TEST(SourceRange, ASingleAddressIsItselfAgainAndAgain) {
  EXPECT_EQ(count("127.0.0.5"), 1U);
  EXPECT_EQ(nth("127.0.0.5", 0), "127.0.0.5");
  EXPECT_EQ(nth("127.0.0.5/32", 7), "127.0.0.5");
  EXPECT_EQ(nth("::1", 3), "::1");
}

TEST(SourceRange, NetworkAndBroadcastAddressAreLeftOut) {
  EXPECT_EQ(count("127.0.0.0/16"), 65'534U);
  EXPECT_EQ(nth("127.0.0.0/16", 0), "127.0.0.1");
  EXPECT_EQ(nth("127.0.0.0/16", 255), "127.0.1.0");
  EXPECT_EQ(nth("127.0.0.0/16", 65'533), "127.0.255.254");
  EXPECT_EQ(nth("127.0.0.0/16", 65'534), "127.0.0.1");
}

TEST(SourceRange, TwoAddressesAreBothHosts) {
  EXPECT_EQ(count("10.0.0.3/31"), 2U);
  EXPECT_EQ(nth("10.0.0.3/31", 0), "10.0.0.2");
  EXPECT_EQ(nth("10.0.0.3/31", 1), "10.0.0.3");
  EXPECT_EQ(count("10.0.0.3/30"), 2U);
  EXPECT_EQ(nth("10.0.0.3/30", 1), "10.0.0.2");
}

TEST(SourceRange, AnIpv6PrefixHasNoBroadcastAddress) {
  EXPECT_EQ(count("2001:db8::/126"), 3U);
  EXPECT_EQ(nth("2001:db8::/126", 0), "2001:db8::1");
  EXPECT_EQ(nth("2001:db8::/126", 2), "2001:db8::3");
  EXPECT_EQ(count("2001:db8::/127"), 2U);
  EXPECT_EQ(nth("2001:db8::/127", 0), "2001:db8::");
}

TEST(SourceRange, AWidePrefixUsesItsFirstAddresses) {
  EXPECT_EQ(count("2001:db8::/64"), std::uint64_t{1} << 32U);
  EXPECT_EQ(nth("2001:db8::/64", (std::uint64_t{1} << 32U) - 1), "2001:db8::1:0:0");
  EXPECT_EQ(count("0.0.0.0/0"), (std::uint64_t{1} << 32U) - 2);
}

TEST(SourceRange, ReadsWhatItPrints) {
  EXPECT_EQ(parse_source("--source", "127.0.3.9/16").text(), "127.0.0.0/16");
  EXPECT_EQ(parse_source("--source", "127.0.3.9/32").text(), "127.0.3.9");
  EXPECT_EQ(parse_source("--source", "2001:db8::9/64").text(), "2001:db8::/64");
}

TEST(SourceRange, RefusesWhatIsNoAddressOrNoPrefix) {
  for (const char* text : {"", "/", "127.0.0.1/", "127.0.0.1/33", "::1/129", "127.0.0.1/-1",
                           "127.0.0.1/8x", "127.0.0", "localhost", "127.0.0.1:80", "[::1]"})
    EXPECT_THROW((void)parse_source("--source", text), UsageError) << text;
}

RC_GTEST_PROP(SourceRange, AddressesOfOneRoundAreAllDifferent, ()) {
  const unsigned bits = *rc::gen::inRange(20U, 33U);
  const SourceRange range(Address::v4(*rc::gen::arbitrary<std::uint32_t>(), 0), bits);
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < range.count(); ++i) seen.insert(range.at(i).ip());
  RC_ASSERT(seen.size() == range.count());
}

}  // namespace
}  // namespace volley
