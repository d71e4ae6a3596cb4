// Addresses as values: text, comparison, hash, and what loopback and wildcard mean.
#include "targets/wire/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace volley {
namespace {

Address v6(const char* text, std::uint16_t port, std::uint32_t scope = 0) {
  in6_addr ip{};
  EXPECT_EQ(inet_pton(AF_INET6, text, &ip), 1) << text;
  return Address::v6(ip, port, scope);
}

TEST(Address, PrintsAsPeopleWriteIt) {
  EXPECT_EQ(Address::v4(0x7F000001, 2924).ip(), "127.0.0.1");
  EXPECT_EQ(Address::v4(0x7F000001, 2924).text(), "127.0.0.1:2924");
  EXPECT_EQ(v6("::1", 2924).ip(), "::1");
  EXPECT_EQ(v6("::1", 2924).text(), "[::1]:2924");
  EXPECT_EQ(v6("::ffff:10.0.0.1", 1).text(), "[::ffff:10.0.0.1]:1");
  EXPECT_EQ(Address().text(), "(no address)");
}

TEST(Address, PrintsItsScopeByNameOrElseByNumber) {
  EXPECT_EQ(v6("fe80::1", 7, if_nametoindex("lo")).text(), "[fe80::1%lo]:7");
  EXPECT_EQ(v6("fe80::1", 7, 4'000'000'000).text(), "[fe80::1%4000000000]:7");
}

TEST(Address, IsLoopbackInBothFamiliesAndMapped) {
  EXPECT_TRUE(Address::v4(0x7F000001, 0).is_loopback());
  EXPECT_TRUE(Address::v4(0x7FFFFFFF, 0).is_loopback());
  EXPECT_TRUE(v6("::1", 0).is_loopback());
  EXPECT_TRUE(v6("::ffff:127.0.0.1", 0).is_loopback());
  EXPECT_TRUE(v6("::ffff:127.255.0.1", 0).is_loopback());
  EXPECT_FALSE(Address::v4(0x80000001, 0).is_loopback());
  EXPECT_FALSE(Address::v4(0x7E000001, 0).is_loopback());
  EXPECT_FALSE(Address::v4(0, 0).is_loopback());
  EXPECT_FALSE(v6("::2", 0).is_loopback());
  EXPECT_FALSE(v6("::ffff:128.0.0.1", 0).is_loopback());
  EXPECT_FALSE(v6("::127.0.0.1", 0).is_loopback());
  EXPECT_FALSE(v6("7f00::1", 0).is_loopback());
  EXPECT_FALSE(Address().is_loopback());
}

TEST(Address, IsWildcardOnlyWhenItIsAllZeros) {
  EXPECT_TRUE(Address::v4(0, 80).is_wildcard());
  EXPECT_TRUE(v6("::", 80).is_wildcard());
  EXPECT_FALSE(Address::v4(1, 0).is_wildcard());
  EXPECT_FALSE(v6("::1", 0).is_wildcard());
  EXPECT_FALSE(Address().is_wildcard());
}

TEST(Address, TakesOnlyWholeInternetAddressesFromTheKernel) {
  const Address whole = Address::v4(0x0A000001, 5);
  for (socklen_t size = 0; size < sizeof(sockaddr_in); ++size) {
    EXPECT_FALSE(Address(whole.data(), size).valid()) << size;
  }
  EXPECT_EQ(Address(whole.data(), sizeof(sockaddr_in)), whole);
  const Address six = v6("2001:db8::1", 5);
  EXPECT_FALSE(Address(six.data(), sizeof(sockaddr_in6) - 1).valid());
  EXPECT_EQ(Address(six.data(), six.size()), six);
  EXPECT_EQ(Address(six.data(), Address::capacity()).size(), sizeof(sockaddr_in6));
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_FALSE(Address(reinterpret_cast<sockaddr*>(&local), sizeof local).valid());
  EXPECT_FALSE(Address(nullptr, 16).valid());
}

TEST(Address, EqualsByFamilyAddressPortAndScope) {
  const Address a = v6("fe80::1", 7, 1);
  EXPECT_EQ(a, v6("fe80::1", 7, 1));
  EXPECT_FALSE(a == v6("fe80::1", 7, 2));
  EXPECT_FALSE(a == v6("fe80::1", 8, 1));
  EXPECT_FALSE(a == v6("fe80::2", 7, 1));
  EXPECT_FALSE(Address::v4(0x7F000001, 1) == v6("::ffff:127.0.0.1", 1));
  EXPECT_FALSE(Address() == Address::v4(0, 0));
  EXPECT_EQ(Address(), Address());
}

TEST(Address, EqualsWhateverTheFlowLabel) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_addr = in6addr_loopback;
  const Address plain(reinterpret_cast<sockaddr*>(&raw), sizeof raw);
  raw.sin6_flowinfo = htonl(12345);
  const Address labelled(reinterpret_cast<sockaddr*>(&raw), sizeof raw);
  EXPECT_EQ(plain, labelled);
  EXPECT_EQ(plain.hash(), labelled.hash());
}

TEST(Address, ChangesItsPortInPlace) {
  Address a = v6("::1", 1);
  a.set_port(65535);
  EXPECT_EQ(a, v6("::1", 65535));
  Address b = Address::v4(0x01020304, 1);
  b.set_port(0x1234);
  EXPECT_EQ(b, Address::v4(0x01020304, 0x1234));
}

RC_GTEST_PROP(AddressProperty, Ipv4HashesAreEqualExactlyWhenTheAddressesAre, ()) {
  const Address a =
      Address::v4(*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint16_t>());
  const Address b =
      Address::v4(*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint16_t>());
  RC_ASSERT((a.hash() == b.hash()) == (a == b));
  const Address copy = a;
  RC_ASSERT(copy.hash() == a.hash());
}

std::size_t fullest_bucket(const Address& host) {
  std::vector<std::size_t> buckets(65536);
  Address address = host;
  for (unsigned port = 0; port < 65536; ++port) {
    address.set_port(static_cast<std::uint16_t>(port));
    ++buckets[address.hash() % buckets.size()];
  }
  return *std::max_element(buckets.begin(), buckets.end());
}

TEST(AddressHash, SpreadsThePortsOfOneHostOverATable) {
  // As many keys as buckets: thrown at random, the fullest holds 8 or 9.
  EXPECT_LE(fullest_bucket(Address::v4(0x7F000001, 0)), 12U);
  EXPECT_LE(fullest_bucket(v6("::1", 0)), 12U);
}

TEST(AddressHash, TellsTheHostsOfOneNetApart) {
  std::vector<std::uint64_t> hashes;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    hashes.push_back(Address::v4(0x0A000000 + i, 7).hash());
    in6_addr ip{};
    ip.s6_addr[0] = 0xFD;
    ip.s6_addr[14] = static_cast<std::uint8_t>(i >> 8U);
    ip.s6_addr[15] = static_cast<std::uint8_t>(i & 0xFFU);
    hashes.push_back(Address::v6(ip, 7).hash());
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Address, IsBroadcastWhereEveryHostSaysSo) {
  EXPECT_TRUE(Address::v4(0xFFFFFFFF, 1).is_broadcast());
  EXPECT_TRUE(Address::v4(0x7FFFFFFF, 1).is_broadcast());
  EXPECT_FALSE(Address::v4(0x7FFFFFFE, 1).is_broadcast());
  EXPECT_FALSE(Address::v4(0x0AFFFFFF, 1).is_broadcast());  // depends on the net
  EXPECT_FALSE(v6("::ffff:255.255.255.255", 1).is_broadcast());
  EXPECT_FALSE(Address().is_broadcast());
}

TEST(Address, IsInvalidWhenTheKernelHadToCutIt) {
  Address address = v6("2001:db8::1", 5);
  address.set_size(Address::capacity());
  EXPECT_TRUE(address.valid());
  address.set_size(Address::capacity() + 1);
  EXPECT_FALSE(address.valid());
}

}  // namespace
}  // namespace volley
