// Names and literal addresses. No test here asks a name server.
#include <gtest/gtest.h>
#include <net/if.h>

#include <algorithm>

#include "reports/measure/ensure.hpp"
#include "tests/wire/loopback_for_tests.hpp"

namespace volley {
namespace {

using namespace tests;

std::vector<Address> resolved(std::string host, std::uint16_t port, Family family = Family::any) {
  return resolve({.host = std::move(host), .port = port}, family);
}

std::string refusal(const std::string& host, Family family = Family::any) {
  try {
    (void)resolved(host, 1, family);
  } catch (const RunError& e) {
    EXPECT_EQ(e.code(), "unresolvable");
    EXPECT_EQ(e.phase(), "resolve");
    return e.what();
  }
  return "(resolved)";
}

TEST(Resolving, ALiteralAddressGivesExactlyThatAddress) {
  EXPECT_EQ(resolved("127.0.0.1", 7), std::vector{loopback4(7)});
  EXPECT_EQ(resolved("::1", 7), std::vector{loopback6(7)});
  EXPECT_EQ(resolved("0.0.0.0", 0), std::vector{any4()});
  EXPECT_EQ(resolved("::", 65535), std::vector{any6(65535)});
}

TEST(Resolving, AScopeIsAnInterfaceByNameOrNumber) {
  const std::string number = std::to_string(if_nametoindex("lo"));
  ASSERT_EQ(resolved("fe80::1%lo", 7).size(), 1U);
  EXPECT_EQ(resolved("fe80::1%lo", 7).front().text(), "[fe80::1%lo]:7");
  EXPECT_EQ(resolved("fe80::1%" + number, 7), resolved("fe80::1%lo", 7));
  EXPECT_NE(refusal("fe80::1%nosuch0").find("no such network interface (nosuch0)"),
            std::string::npos);
  EXPECT_NE(refusal("fe80::1%0").find("no such network interface (0)"), std::string::npos);
}

TEST(Resolving, ALiteralOfTheOtherFamilyIsRefused) {
  EXPECT_NE(refusal("127.0.0.1", Family::v6).find("not an IPv6 address"), std::string::npos);
  EXPECT_NE(refusal("::1", Family::v4).find("not an IPv4 address"), std::string::npos);
}

TEST(Resolving, LocalhostIsLoopbackWithThePortAskedAndNoAddressTwice) {
  const std::vector<Address> all = resolved("localhost", 2924);
  ASSERT_FALSE(all.empty());
  for (const Address& address : all) {
    EXPECT_TRUE(address.is_loopback()) << address.text();
    EXPECT_EQ(address.port(), 2924);
    EXPECT_EQ(std::count(all.begin(), all.end(), address), 1) << address.text();
  }
  EXPECT_EQ(resolved("localhost", 1, Family::v4), std::vector{loopback4(1)});
}

TEST(Resolving, ANameThatCannotExistSaysSoInTheResolversWords) {
  // A label has at most 63 characters, so the C library refuses this before it asks anybody.
  const std::string name(64, 'x');
  const std::string message = refusal(name);
  EXPECT_EQ(message.rfind(name + ": the name does not resolve (", 0), 0U) << message;
  EXPECT_NE(message.find("); check its spelling"), std::string::npos) << message;
}

}  // namespace
}  // namespace volley
