// What of a stranger's bytes reaches a terminal. (The talking itself is tested from outside:
// tests/loopback/test_talk.py.)
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "generators/engine/talk.hpp"

namespace volley {
namespace {

TEST(EscapeForTerminal, text_stays_as_it_is) {
  for (const char* text : {"", "OK...hello", "a\tb\nc\n", "gr\u00fc\u00dfe \u20ac \U0001F600"}) {
    EXPECT_EQ(escape_for_terminal(text), text);
  }
}

TEST(EscapeForTerminal, control_characters_are_spelled_out) {
  EXPECT_EQ(escape_for_terminal("\x1b[2J\x07"), "\\x1B[2J\\x07");
  EXPECT_EQ(escape_for_terminal(std::string("\0\x7f", 2)), "\\x00\\x7F");
  EXPECT_EQ(escape_for_terminal("a\rb\r\nc\r"), "a\\x0Db\nc\\x0D");
}

TEST(EscapeForTerminal, c1_controls_hide_neither_raw_nor_in_utf8) {
  EXPECT_EQ(escape_for_terminal("\x9b"), "\\x9B");
  EXPECT_EQ(escape_for_terminal("\xc2\x9b"), "\\xC2\\x9B");
}

TEST(EscapeForTerminal, broken_utf8_is_spelled_out) {
  EXPECT_EQ(escape_for_terminal("\xc3"), "\\xC3");
  EXPECT_EQ(escape_for_terminal("\xc3("), "\\xC3(");
  EXPECT_EQ(escape_for_terminal("\xc0\x9b"), "\\xC0\\x9B");
  EXPECT_EQ(escape_for_terminal("\xe0\x82\x9b"), "\\xE0\\x82\\x9B");
  EXPECT_EQ(escape_for_terminal("\xf0\x80\x82\x9b"), "\\xF0\\x80\\x82\\x9B");
  EXPECT_EQ(escape_for_terminal("\xff"), "\\xFF");
}

RC_GTEST_PROP(EscapeForTerminal, leaves_no_control_character_whatever_comes,
              (const std::string& bytes)) {
  const std::string shown = escape_for_terminal(bytes);
  RC_ASSERT(std::none_of(shown.begin(), shown.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
  }));
}

}  // namespace
}  // namespace volley
