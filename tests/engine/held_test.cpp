// The book of the probes over held connections, what is kept apart of few of them, and the windows
// in which their local ports are looked for.
#include "generators/engine/held.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include "generators/engine/host.hpp"
#include "generators/engine/port_windows.hpp"
#include "generators/engine/strain.hpp"

namespace volley {
namespace {

using namespace std::chrono_literals;

RunPlan plan_of_two_flows() {
  RunOptions options;
  options.workload = Workload::hold;
  options.flows = 2;
  return make_plan(options, PlanLimits{});
}

class HeldBookTest : public ::testing::Test {
 protected:
  HeldBookTest() { worker_.result().hold.emplace(); }

  std::uint32_t send(HeldBook& book, std::uint32_t index, bool measured = true) {
    const std::uint32_t slot = book.next_slot();
    book.on_sent(flows_[index], index, Due{now_, measured, false}, now_, 64);
    return slot;
  }
  static Answer answer_to(std::uint32_t slot, std::uint64_t sequence) {
    Answer answer;
    answer.named = true;
    answer.slot = slot;
    answer.sequence = sequence;
    answer.bytes = 64;
    return answer;
  }
  [[nodiscard]] const RequestCounters& counters() { return worker_.recorder().of(true).counters; }
  [[nodiscard]] std::uint64_t events() {
    std::uint64_t count = 0;
    for (const SocketEvent& event : worker_.result().socket_events) count += event.count;
    return count;
  }

  RunPlan plan_ = plan_of_two_flows();
  RunSignals signals_;
  Handoff handoff_;
  Worker worker_{plan_, 0, Address::v4(0x7F000001, 9), 1, signals_, handoff_};
  std::array<HeldFlow, 2> flows_;
  MonoTime now_ = mono_now();
};

TEST_F(HeldBookTest, judges_each_probe_once_and_tells_late_from_duplicate) {
  HeldBook book(worker_, false);
  const std::uint32_t first = send(book, 0);
  const std::uint32_t second = send(book, 1);
  book.on_answer(flows_[0], 0, answer_to(first, 0), now_ + 1ms);
  book.on_answer(flows_[0], 0, answer_to(first, 0), now_ + 2ms);  // again
  EXPECT_EQ(counters().completed, 1U);
  EXPECT_EQ(counters().duplicates, 1U);

  EXPECT_EQ(book.outstanding().expired(now_ + plan_.timeout), second);
  book.on_timeout(flows_[1], second);
  book.on_answer(flows_[1], 1, answer_to(second, 0), now_ + 3s);
  book.on_answer(flows_[1], 1, answer_to(second, 0), now_ + 4s);
  EXPECT_EQ(counters().lost, 1U);
  EXPECT_EQ(counters().late, 1U);
  EXPECT_EQ(counters().duplicates, 2U);
  EXPECT_EQ(counters().sent, 2U);
  EXPECT_EQ(worker_.result().hold->probed, 2U);
  EXPECT_TRUE(book.outstanding().empty());
}

TEST_F(HeldBookTest, an_answer_overtaken_by_a_later_one_is_reordered) {
  HeldBook book(worker_, false);
  const std::uint32_t first = send(book, 0);
  const std::uint32_t second = send(book, 0);
  book.on_answer(flows_[0], 0, answer_to(second, 1), now_ + 1ms);
  EXPECT_EQ(counters().reordered, 0U);
  book.on_answer(flows_[0], 0, answer_to(first, 0), now_ + 1ms);
  EXPECT_EQ(counters().reordered, 1U);
  EXPECT_EQ(counters().completed, 2U);
}

TEST_F(HeldBookTest, an_answer_behind_all_that_is_remembered_is_noise) {
  HeldBook book(worker_, false);
  for (std::uint64_t n = 0; n < 70; ++n)
    book.on_answer(flows_[0], 0, answer_to(send(book, 0), n), now_ + 1ms);
  EXPECT_EQ(counters().completed, 70U);
  book.on_answer(flows_[0], 0, answer_to(0, 6), now_ + 1ms);
  EXPECT_EQ(counters().duplicates, 1U);
  book.on_answer(flows_[0], 0, answer_to(0, 5), now_ + 1ms);   // too old
  book.on_answer(flows_[0], 0, answer_to(0, 70), now_ + 1ms);  // never sent
  EXPECT_EQ(counters().duplicates, 1U);
  EXPECT_EQ(events(), 2U);
}

TEST_F(HeldBookTest, an_answer_in_order_that_is_owed_is_not_taken_for_the_next) {
  HeldBook book(worker_, true);
  const std::uint32_t first = send(book, 0);
  book.on_timeout(flows_[0], first);
  now_ += 3s;
  send(book, 0);
  Answer unnamed;
  unnamed.bytes = 64;
  book.on_answer(flows_[0], 0, unnamed, now_);
  EXPECT_EQ(counters().late, 1U);
  EXPECT_EQ(counters().completed, 0U);
  book.on_answer(flows_[0], 0, unnamed, now_);
  EXPECT_EQ(counters().completed, 1U);
}

TEST_F(HeldBookTest, what_is_in_flight_on_a_dead_connection_has_failed) {
  HeldBook book(worker_, false);
  send(book, 0);
  send(book, 0);
  send(book, 1);
  book.on_death(0, ErrorKind::reset);
  EXPECT_EQ(counters().errors[static_cast<std::size_t>(ErrorKind::reset)], 2U);
  EXPECT_EQ(book.outstanding().waiting(), 1U);
}

TEST(Strains, are_kept_while_there_is_something_in_them) {
  Strains strains;
  HeldFlow flow;
  strains.wait(flow, 7, Due{MonoTime(2ns)}, false);
  strains.wait(flow, 7, Due{MonoTime(1ns)}, true);
  EXPECT_TRUE(flow.strained);
  EXPECT_EQ(strains.waiting(), 2U);
  EXPECT_EQ(strains.take_waiting(7).intended, MonoTime(1ns));
  strains.relax(flow, 7);
  EXPECT_TRUE(flow.strained) << "one still waits";
  EXPECT_EQ(strains.take_waiting(7).intended, MonoTime(2ns));
  strains.of(flow, 7).stream.skip = 3;
  strains.relax(flow, 7);
  EXPECT_TRUE(flow.strained) << "half an answer";
  EXPECT_EQ(strains.take_stream(flow, 7).skip, 3U);
  strains.relax(flow, 7);
  EXPECT_FALSE(flow.strained);
  EXPECT_FALSE(strains.waits(flow, 7));
  EXPECT_EQ(strains.take_stream(flow, 7).skip, 0U);
}

TEST(Strains, what_waits_can_be_dropped_on_one_and_on_all) {
  Strains strains;
  std::array<HeldFlow, 3> flows;
  for (std::uint32_t i = 0; i < 3; ++i) strains.wait(flows[i], i, Due{}, false);
  int dropped = 0;
  strains.drop_waiting_of(flows[0], 0, [&](const Due&) { ++dropped; });
  EXPECT_EQ(dropped, 1);
  strains.forget(flows[1], 1);
  EXPECT_EQ(strains.waiting(), 1U);
  strains.drop_waiting([&](const Due&) { ++dropped; });
  EXPECT_EQ(dropped, 2);
  EXPECT_EQ(strains.waiting(), 0U);
}

TEST(PortRange, is_two_ports_in_order) {
  const auto range = parse_port_range("32768\t60999");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 32768U);
  EXPECT_EQ(range->last, 60999U);
  for (const char* bad : {"", "32768", "a b", "5 4", "1 65536", "-1 5"})
    EXPECT_FALSE(parse_port_range(bad)) << bad;
}

// The window lies within the machine's range: the kernel looks nowhere else.
TEST(PortWindows, lead_to_different_ports_and_say_when_there_are_no_more) {
  const auto text = read_fact("/proc/sys/net/ipv4/ip_local_port_range");
  const auto machine = parse_port_range(text.value_or(""));
  if (!machine || machine->last - machine->first < 100) GTEST_SKIP() << "no ports to choose from";
  const PortRange few{machine->last - 2, machine->last};
  Descriptor listener;
  ASSERT_EQ(open_listener(Protocol::tcp, Address::v4(0x7F000001, 0), BindOptions{}, listener), 0);
  const Address peer = local_address(listener);
  PortWindows windows(few, 5);
  std::vector<Descriptor> open;
  std::set<std::uint32_t> ports;
  for (int i = 0; i < 5; ++i) {
    Descriptor socket;
    ASSERT_EQ(open_socket(Protocol::tcp, AF_INET, socket), 0);
    const int error = windows.connect(socket, peer);
    if (error == EADDRNOTAVAIL) continue;
    ASSERT_TRUE(error == 0 || error == EINPROGRESS) << error_text(error);
    ports.insert(local_address(socket).port());
    open.push_back(std::move(socket));
  }
  EXPECT_EQ(ports.size(), open.size());
  if (open.size() == 5) GTEST_SKIP() << "this kernel has no IP_LOCAL_PORT_RANGE";
  EXPECT_LE(open.size(), 3U);
  for (const std::uint32_t port : ports) EXPECT_GE(port, few.first);
}

}  // namespace
}  // namespace volley
