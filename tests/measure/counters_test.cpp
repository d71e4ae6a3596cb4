// What became of requests: the words for kinds of errors, and sums that leave nothing out.
#include "reports/measure/counters.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace volley {
namespace {

TEST(Counters, every_kind_has_a_word_of_its_own_that_leads_back_to_it) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kErrorKinds; ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    EXPECT_FALSE(to_string(kind).empty());
    EXPECT_EQ(error_kind_from(to_string(kind)), kind);
    words.insert(to_string(kind));
  }
  EXPECT_EQ(words.size(), kErrorKinds);
  EXPECT_EQ(error_kind_from("Refused"), std::nullopt);
  EXPECT_EQ(error_kind_from(""), std::nullopt);
}

TEST(Counters, an_errno_value_belongs_to_the_kind_that_names_its_cause) {
  EXPECT_EQ(error_kind_of(ECONNREFUSED), ErrorKind::refused);
  EXPECT_EQ(error_kind_of(ECONNRESET), ErrorKind::reset);
  EXPECT_EQ(error_kind_of(EPIPE), ErrorKind::reset);
  EXPECT_EQ(error_kind_of(ETIMEDOUT), ErrorKind::timed_out);
  EXPECT_EQ(error_kind_of(EHOSTUNREACH), ErrorKind::unreachable);
  EXPECT_EQ(error_kind_of(ENETUNREACH), ErrorKind::unreachable);
  EXPECT_EQ(error_kind_of(ENOBUFS), ErrorKind::no_buffers);
  EXPECT_EQ(error_kind_of(EADDRNOTAVAIL), ErrorKind::no_ports);
  EXPECT_EQ(error_kind_of(EMFILE), ErrorKind::too_many_files);
  EXPECT_EQ(error_kind_of(EMSGSIZE), ErrorKind::message_size);
  EXPECT_EQ(error_kind_of(EACCES), ErrorKind::permission);
  EXPECT_EQ(error_kind_of(0), ErrorKind::other);
  EXPECT_EQ(error_kind_of(-1), ErrorKind::other);
}

TEST(Counters, adding_counters_adds_every_member) {
  // Each member gets a number of its own, so that a forgotten one shows.
  RequestCounters once{.sent = 1,
                       .completed = 2,
                       .lost = 3,
                       .late = 4,
                       .errors = {},
                       .unsent = {},
                       .duplicates = 5,
                       .reordered = 6,
                       .held_back = 7,
                       .sent_late = 10,
                       .bytes_sent = 8,
                       .bytes_received = 9,
                       .socket_events = {}};
  for (std::size_t i = 0; i < kErrorKinds; ++i) {
    once.errors[i] = 100 + i;
    once.unsent[i] = 200 + i;
    once.socket_events[i] = 300 + i;
  }
  RequestCounters twice = once;
  twice += once;
  EXPECT_EQ(twice.sent, 2U);
  EXPECT_EQ(twice.completed, 4U);
  EXPECT_EQ(twice.lost, 6U);
  EXPECT_EQ(twice.late, 8U);
  EXPECT_EQ(twice.duplicates, 10U);
  EXPECT_EQ(twice.reordered, 12U);
  EXPECT_EQ(twice.held_back, 14U);
  EXPECT_EQ(twice.bytes_sent, 16U);
  EXPECT_EQ(twice.bytes_received, 18U);
  EXPECT_EQ(twice.sent_late, 20U);
  for (std::size_t i = 0; i < kErrorKinds; ++i) {
    EXPECT_EQ(twice.errors[i], 200 + 2 * i);
    EXPECT_EQ(twice.unsent[i], 400 + 2 * i);
    EXPECT_EQ(twice.socket_events[i], 600 + 2 * i);
  }
  // A member added later without a line above makes the object larger.
  EXPECT_EQ(sizeof(RequestCounters), (10 + 3 * kErrorKinds) * sizeof(std::uint64_t));
}

RC_GTEST_PROP(Counters, the_total_of_kinds_is_their_sum, ()) {
  ErrorCounts counts{};
  std::uint64_t sum = 0;
  for (std::uint64_t& n : counts) {
    n = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
    sum += n;
  }
  RC_ASSERT(total(counts) == sum);
}

}  // namespace
}  // namespace volley
