// Our own target as a child. This test program is its own stand-in: OwnTarget starts "this
// executable again" with `target all …`, and main() below then plays a target that behaves as the
// further arguments ask.
#include "generators/engine/own_target.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "generators/engine/host.hpp"
#include "reports/measure/ensure.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

bool alive(pid_t pid) {
  // A zombie answers kill() too, so its state is read.
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  const auto name_end = text.rfind(')');
  return name_end != std::string::npos && text.at(name_end + 2) != 'Z';
}

bool gone_within_5s(pid_t pid) {
  for (int i = 0; i < 5000; ++i) {
    if (!alive(pid)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)entry;
    ++count;
  }
  return count;
}

std::string failure_of(const std::string& behaviour) {
  try {
    const OwnTarget target({behaviour}, std::nullopt);
  } catch (const RunError& error) {
    EXPECT_EQ(error.code(), "own_target");
    EXPECT_EQ(error.phase(), "setup");
    return error.what();
  }
  return "";
}

TEST(OwnTarget, says_where_it_listens) {
  const OwnTarget target({}, std::nullopt);
  EXPECT_EQ(target.where(), (HostPort{"127.0.0.1", 4711}));
  EXPECT_TRUE(alive(target.pid()));
}

TEST(OwnTarget, of_the_udp_echo_kind_names_only_one_endpoint) {
  const OwnTarget target({"udp_only"}, std::nullopt, OwnTargetKind::udp_echo);
  EXPECT_EQ(target.where(), (HostPort{"127.0.0.1", 4711}));
}

TEST(OwnTarget, lines_may_come_in_pieces_among_others_and_in_any_order) {
  const OwnTarget target({"pieces"}, std::nullopt);
  EXPECT_EQ(target.where(), (HostPort{"127.0.0.1", 4711}));
}

TEST(OwnTarget, is_gone_with_its_object_and_leaves_no_descriptor) {
  const std::size_t before = open_descriptors();
  pid_t pid = 0;
  {
    const OwnTarget target({}, std::nullopt);
    pid = target.pid();
  }
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(OwnTarget, tells_what_it_cost_so_far_and_at_its_end) {
  OwnTarget target({"busy"}, std::nullopt);
  const auto first = target.cpu_seconds();
  ASSERT_TRUE(first);
  auto later = first;
  while (later && *later < *first + 0.005) later = target.cpu_seconds();
  ASSERT_TRUE(later);
  const auto usage = target.stop();
  ASSERT_TRUE(usage);
  // The kernel gives both from one account; the last one may be rounded.
  EXPECT_GE(usage->cpu_s, *later - 0.02);
  EXPECT_EQ(target.cpu_seconds(), std::nullopt);
  EXPECT_FALSE(target.stop());
}

TEST(OwnTarget, one_that_talks_a_lot_does_not_get_stuck_at_its_end) {
  OwnTarget target({"chatty"}, std::nullopt);
  EXPECT_TRUE(target.stop());
}

TEST(OwnTarget, one_that_ends_or_says_something_else_is_a_failed_set_up) {
  EXPECT_NE(failure_of("dies").find("ended before it listened"), std::string::npos);
  EXPECT_NE(failure_of("two_ports").find("two places"), std::string::npos);
  EXPECT_NE(failure_of("babbles").find("without saying where"), std::string::npos);
  EXPECT_NE(failure_of("nonsense").find("own target"), std::string::npos);
}

TEST(OwnTarget, dies_with_its_parent) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  // The target's parent dies while its own grandparent looks on.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const OwnTarget target({}, std::nullopt);
    const pid_t pid = target.pid();
    (void)!write(ends[1], &pid, sizeof pid);
    kill(getpid(), SIGKILL);
  }
  pid_t target = 0;
  ASSERT_EQ(read(ends[0], &target, sizeof target), static_cast<ssize_t>(sizeof target));
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(gone_within_5s(target));
  waitpid(target, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(OwnTarget, has_a_process_group_of_its_own_and_nothing_of_ours_but_stderr) {
  // A descriptor that somebody forgot to mark close-on-exec, an ignored and a blocked signal.
  const int leaked = open("/dev/null", O_RDONLY);
  ASSERT_GE(leaked, 3);
  const auto before = std::signal(SIGTERM, SIG_IGN);
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &old);
  {
    OwnTarget target({"strict"}, std::nullopt);  // ends at once unless all is as it should be
    EXPECT_EQ(getpgid(target.pid()), target.pid());
    EXPECT_TRUE(target.stop());
  }
  sigprocmask(SIG_SETMASK, &old, nullptr);
  std::signal(SIGTERM, before);
  close(leaked);
}

TEST(OwnTarget, can_be_pinned_to_a_cpu) {
  const unsigned cpu = allowed_cpus().back();
  const OwnTarget target({}, cpu);
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(target.pid(), sizeof set, &set), 0);
  EXPECT_EQ(CPU_COUNT(&set), 1);
  EXPECT_TRUE(CPU_ISSET(cpu, &set));
}

TEST(OwnTarget, keeps_out_of_the_way_of_pinned_workers_where_there_is_room) {
  const auto cpus = static_cast<unsigned>(allowed_cpus().size());
  EXPECT_EQ(own_target_cpu(false, 1), std::nullopt);
  EXPECT_EQ(own_target_cpu(true, cpus), std::nullopt);
  if (cpus > 1) {
    EXPECT_EQ(own_target_cpu(true, cpus - 1), allowed_cpus().back());
  }
}

bool keeps_to_one_peer(const RunPlan& plan, OwnTargetKind kind) {
  const auto words = own_target_arguments(plan, kind);
  return std::find(words.begin(), words.end(), "--one-peer") != words.end();
}

RunPlan request_response(Protocol protocol) {
  RunPlan plan;
  plan.protocol = protocol;
  plan.workload = Workload::rr;
  return plan;
}

TEST(OwnTargetArguments, a_target_keeps_to_one_peer_only_where_it_will_have_no_other) {
  RunPlan plan = request_response(Protocol::udp);
  EXPECT_EQ(own_target_kind(plan), OwnTargetKind::udp_echo);
  EXPECT_TRUE(keeps_to_one_peer(plan, OwnTargetKind::udp_echo));
  EXPECT_FALSE(keeps_to_one_peer(plan, OwnTargetKind::all));  // as a duel starts it
  plan.flows = 2;
  EXPECT_FALSE(keeps_to_one_peer(plan, OwnTargetKind::udp_echo));
  plan.flows = 1;
  plan.workload = Workload::hold;
  EXPECT_FALSE(keeps_to_one_peer(plan, OwnTargetKind::udp_echo));
}

TEST(OwnTargetArguments, over_tcp_too) {
  RunPlan plan = request_response(Protocol::tcp);
  EXPECT_EQ(own_target_kind(plan), OwnTargetKind::tcp_echo);
  EXPECT_TRUE(keeps_to_one_peer(plan, OwnTargetKind::tcp_echo));
  plan.flows = 2;
  EXPECT_EQ(own_target_kind(plan), OwnTargetKind::all);
  plan.flows = 1;
  plan.wait = Wait::spin;
  EXPECT_EQ(own_target_kind(plan), OwnTargetKind::all);
  plan.wait = Wait::block;
  plan.workload = Workload::crr;
  EXPECT_EQ(own_target_kind(plan), OwnTargetKind::all);
}

TEST(OwnTarget, one_that_speaks_tcp_alone_is_waited_for_alike) {
  const OwnTarget target({"tcp_only"}, std::nullopt, OwnTargetKind::tcp_echo);
  EXPECT_EQ(target.where().port, 4711);
}

TEST(OwnTargetArguments, a_thread_beside_each_worker_where_these_take_all_cpus) {
  const auto cpus = static_cast<unsigned>(allowed_cpus().size());
  if (cpus < 2) GTEST_SKIP() << "one CPU";
  RunPlan plan = request_response(Protocol::tcp);
  plan.flows = 64;
  plan.threads = cpus;
  plan.pin = true;
  ASSERT_TRUE(own_target_sits_beside(plan));
  ASSERT_EQ(own_target_kind(plan), OwnTargetKind::tcp_echo);
  const std::vector<std::string> beside{"--threads", std::to_string(cpus), "--pin", "--deal",
                                        "cpu"};
  const auto words = own_target_arguments(plan, OwnTargetKind::tcp_echo);
  EXPECT_NE(std::search(words.begin(), words.end(), beside.begin(), beside.end()), words.end());
  // As a duel starts it, for both protocols alike.
  const auto for_both = own_target_arguments(plan, OwnTargetKind::all);
  EXPECT_EQ(std::find(for_both.begin(), for_both.end(), "--deal"), for_both.end());
  const auto stands_apart = [&](auto change) {
    RunPlan other = plan;
    change(other);
    return !own_target_sits_beside(other);
  };
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.pin = false; }));
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.threads = 1; }));
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.wait = Wait::spin; }));
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.protocol = Protocol::udp; }));
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.workload = Workload::crr; }));
  EXPECT_TRUE(stands_apart([](RunPlan& p) { p.arrival.kind = Arrival::Kind::constant; }));
}

// ---- the stand-in ----

bool inherited_only_the_standard_streams() {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  if (sigismember(&mask, SIGTERM) != 0 || std::signal(SIGTERM, SIG_DFL) == SIG_IGN) return false;
  for (int fd = 3; fd < 256; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) return false;
  }
  return true;
}

void say(const std::string& text) { (void)!write(STDOUT_FILENO, text.data(), text.size()); }

[[noreturn]] void play_target(const std::string& kind, const std::string& behaviour) {
  const std::string udp = "listening udp://127.0.0.1:4711\n";
  const std::string tcp = "listening tcp://127.0.0.1:4711\n";
  if (behaviour == "dies") _exit(1);
  if (behaviour == "nonsense") say("listening where?\n");
  if (behaviour == "strict" && !inherited_only_the_standard_streams()) _exit(1);
  if (behaviour == "two_ports") say("listening udp://127.0.0.1:4712\n");
  if (behaviour == "babbles") {
    for (;;) say(std::string(4096, 'x'));
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  if (behaviour == "chatty") sigprocmask(SIG_BLOCK, &stop, nullptr);
  if (behaviour == "pieces") {
    say("hello\nlistening tcp://127.0");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    say(tcp.substr(21) + "more\n" + udp);
  } else {
    say(behaviour == "two_ports" ? tcp
        : kind == "udp-echo"     ? udp
        : kind == "tcp-echo"     ? tcp
                                 : udp + tcp);
  }
  if (behaviour == "chatty") {
    int number = 0;
    sigwait(&stop, &number);
    say(std::string(200'000, 'x'));  // more than a pipe holds
    _exit(0);
  }
  if (behaviour == "busy") {
    for (;;) (void)getpid();
  }
  for (;;) pause();
}

}  // namespace
}  // namespace volley

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "target") {
    volley::play_target(argv[2], argv[argc - 1]);  // the last of the further arguments
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
