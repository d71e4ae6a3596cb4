// The kernel's counters of handshakes: what is read of its text, of any other text, and of this
// machine.
#include "generators/engine/handshakes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace volley {
namespace {

constexpr std::string_view kText =
    "IpExt: InNoRoutes ListenDrops\n"
    "IpExt: 1 2\n"
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPHPHits TCPSynRetrans\n"
    "TcpExt: 7 18446744073709551615 0 9 12\n"
    "MPTcpExt: ListenOverflows\n"
    "MPTcpExt: 5\n";

TEST(Handshakes, the_counters_of_the_right_group_are_read) {
  EXPECT_EQ(parse_netstat(kText), (TcpNetstat{~std::uint64_t{0}, 0, 12}));
}

TEST(Handshakes, what_is_not_there_is_not_known) {
  EXPECT_EQ(parse_netstat(""), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt:"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: ListenOverflows"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: ListenOverflows\nIpExt: 4\n"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: ListenOverflows\nTcpExt: -4\n"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: ListenOverflows\nTcpExt: 4x\n"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: ListenOverflows\nTcpExt: 18446744073709551616\n"), TcpNetstat{});
  EXPECT_EQ(parse_netstat("TcpExt: a ListenOverflows ListenDrops\nTcpExt: 1 2\n"),
            (TcpNetstat{2, std::nullopt, std::nullopt}));
}

TEST(Handshakes, a_text_cut_anywhere_gives_what_stands_in_it_whole) {
  const TcpNetstat whole = parse_netstat(kText);
  for (std::size_t cut = 0; cut <= kText.size(); ++cut) {
    const TcpNetstat found = parse_netstat(kText.substr(0, cut));
    EXPECT_TRUE(!found.listen_drops || found.listen_drops == whole.listen_drops) << cut;
  }
}

RC_GTEST_PROP(Handshakes, any_text_is_read_without_harm, ()) {
  // Words that mean something, in any order and number, among bytes that mean nothing.
  const std::vector<std::string> words{"TcpExt:",         "TcpExt: ", "\n", " ",
                                       "ListenOverflows", "4",        "-1", "99999999999999999999",
                                       "\0\xff"};
  const auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::oneOf(rc::gen::elementOf(words), rc::gen::string<std::string>()));
  std::string text;
  for (const std::string& part : parts) text += part;
  const TcpNetstat found = parse_netstat(text);
  RC_ASSERT(found == parse_netstat(text));
}

TEST(Handshakes, differences_are_known_where_both_ends_are) {
  const TcpNetstat before{10, 20, std::nullopt};
  EXPECT_EQ(since(before, {15, 20, 3}), (TcpNetstat{5, 0, std::nullopt}));
  EXPECT_EQ(since(before, {9, std::nullopt, 3}), TcpNetstat{});
}

TEST(Handshakes, this_machine_tells_and_knows_its_own_addresses) {
  const TcpNetstat now = read_netstat();
  EXPECT_TRUE(now.listen_overflows && now.listen_drops && now.syn_retransmits);
  EXPECT_TRUE(is_here(Address::v4(0x7f000001, 80)));
  EXPECT_TRUE(is_here(Address::v4(0x7f090909, 80)));
  EXPECT_FALSE(is_here(Address::v4(0xc0000201, 80)));  // 192.0.2.1, for examples only
}

}  // namespace
}  // namespace volley
