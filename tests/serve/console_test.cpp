#include "targets/serve/console.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace volley {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string shown(std::string_view text) { return printable(bytes(text), false); }

TEST(Printable, letters_of_any_language_stay) {
  EXPECT_EQ(shown("hello"), "hello");
  EXPECT_EQ(shown("h\xC3\xA9llo \xE4\xB8\xAD \xF0\x9F\x99\x82"),
            "h\xC3\xA9llo \xE4\xB8\xAD \xF0\x9F\x99\x82");
}

TEST(Printable, what_steers_a_terminal_is_shown_instead_of_sent) {
  EXPECT_EQ(shown("\x1B[2J"), "\\x1b[2J");
  EXPECT_EQ(shown("a\r\nb\tc"), "a\\r\\nb\\tc");
  EXPECT_EQ(shown(std::string_view("\0\x7F", 2)), "\\x00\\x7f");
  EXPECT_EQ(shown("\xC2\x9B"), "\\xc2\\x9b");           // CSI in eight bits
  EXPECT_EQ(shown("\xE2\x80\xAE"), "\\xe2\\x80\\xae");  // turns the line around
}

TEST(Printable, bytes_that_are_not_utf_8_are_shown_as_numbers) {
  EXPECT_EQ(shown("\xFF\xFE"), "\\xff\\xfe");
  EXPECT_EQ(shown("\xC3"), "\\xc3");                    // cut off
  EXPECT_EQ(shown("\xC0\xAF"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(shown("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
}

TEST(Printable, lines_may_be_kept) {
  EXPECT_EQ(printable(bytes("a\n\tb\x1B"), true), "a\n\tb\\x1b");
}

TEST(Stripped, takes_white_space_off_both_ends_only) {
  const auto text = stripped(bytes(" \r\n a b \t\n"));
  EXPECT_EQ(printable(text, false), "a b");
  EXPECT_TRUE(stripped(bytes(" \n ")).empty());
}

}  // namespace
}  // namespace volley
