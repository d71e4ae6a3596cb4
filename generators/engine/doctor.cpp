// The judgements of volley doctor. One idea: a limit is only worth a word when it says what it does
// to a result and how to lift it; the figures come from the kernel's own accounting.
#include "generators/engine/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "reports/measure/slow_build.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

// A small datagram costs the receive buffer this much of the kernel's own memory, and the kernel
// doubles what SO_RCVBUF asks for that reason.
constexpr std::uint64_t kDatagramCost = 832;
constexpr std::uint64_t kGoodBuffer = 4U << 20U;
constexpr std::uint64_t kPoorBuffer = 1U << 20U;
constexpr std::uint64_t kFewDescriptors = 1024;
constexpr std::uint64_t kManyDescriptors = 16'384;
constexpr std::uint64_t kOwnDescriptors = 32;  // of the program itself, before any flow
constexpr std::uint64_t kFewPorts = 20'000;
constexpr std::uint64_t kTimeWaitSeconds = 60;
constexpr std::uint64_t kGoodBacklog = 4096;
constexpr double kMuchSteal = 0.01;

using Findings = std::vector<Finding>;

void ok(Findings& to, std::string id, std::string found) {
  to.push_back({std::move(id), FindingLevel::ok, std::move(found), "", ""});
}

bool unlimited(std::uint64_t value) { return value == std::numeric_limits<std::uint64_t>::max(); }

void judge_descriptors(const MachineFacts& facts, Findings& to) {
  if (!facts.descriptors_soft) return;
  const std::uint64_t soft = *facts.descriptors_soft;
  const std::uint64_t hard = std::max(soft, facts.descriptors_hard.value_or(soft));
  const auto text = [](std::uint64_t n) {
    return unlimited(n) ? std::string("unlimited") : format_count(n);
  };
  std::string found = fmt::format("{} open files (hard limit {})", text(soft), text(hard));
  if (soft >= kManyDescriptors) return ok(to, "descriptors", std::move(found));
  const auto flows = [](std::uint64_t limit) {
    return format_count(limit > kOwnDescriptors ? limit - kOwnDescriptors : 0);
  };
  const bool can_be_raised = hard >= kManyDescriptors;
  to.push_back(
      {"descriptors", soft < kFewDescriptors ? FindingLevel::warn : FindingLevel::note,
       std::move(found),
       can_be_raised
           ? fmt::format("a server started from here takes at most about {} connections (volley "
                         "run raises its own limit to the hard one)",
                         flows(soft))
           : fmt::format("a run with more than about {} flows is refused, and a server started "
                         "from here takes at most about {} connections",
                         flows(hard), flows(soft)),
       can_be_raised ? fmt::format("ulimit -n {}", unlimited(hard) ? 1'048'576 : hard)
                     : "raise `nofile` in /etc/security/limits.conf (LimitNOFILE= in a systemd "
                       "unit)"});
}

void judge_ports(const MachineFacts& facts, Findings& to) {
  if (!facts.first_port || !facts.last_port || *facts.last_port < *facts.first_port) return;
  const std::uint64_t count = *facts.last_port - *facts.first_port + 1;
  std::string found = fmt::format("{}-{}, {} local ports", *facts.first_port, *facts.last_port,
                                  format_count(count));
  if (count >= kFewPorts) return ok(to, "ports", std::move(found));
  to.push_back({"ports", FindingLevel::warn, std::move(found),
                fmt::format("at most {} flows to one address; connections that close in good order "
                            "hold a port for 60 s, so more than {} new ones a second run out",
                            format_count(count), format_count(count / kTimeWaitSeconds)),
                "sysctl -w net.ipv4.ip_local_port_range='15000 60999'"});
}

void judge_receive_buffer(const MachineFacts& facts, Findings& to) {
  if (!facts.rmem_max_bytes) return;
  const std::uint64_t bytes = *facts.rmem_max_bytes;
  const std::uint64_t datagrams = std::min(bytes, std::uint64_t{1} << 40U) * 2 / kDatagramCost;
  std::string found = fmt::format("rmem_max {}, about {} small datagrams a socket",
                                  format_size(bytes), format_count(datagrams));
  if (bytes >= kGoodBuffer) return ok(to, "receive_buffer", std::move(found));
  to.push_back({"receive_buffer", bytes < kPoorBuffer ? FindingLevel::warn : FindingLevel::note,
                std::move(found),
                "a receiver that pauses for a moment drops datagrams, and the loss looks like the "
                "network's",
                fmt::format("sysctl -w net.core.rmem_max={}", 2 * kGoodBuffer)});
}

void judge_send_buffer(const MachineFacts& facts, Findings& to) {
  if (!facts.wmem_max_bytes) return;
  std::string found = fmt::format("wmem_max {}", format_size(*facts.wmem_max_bytes));
  if (*facts.wmem_max_bytes >= kPoorBuffer) return ok(to, "send_buffer", std::move(found));
  to.push_back({"send_buffer", FindingLevel::note, std::move(found),
                "bursts of datagrams wait for an unwritable socket and count as held back",
                fmt::format("sysctl -w net.core.wmem_max={}", 2 * kGoodBuffer)});
}

void judge_backlog(const MachineFacts& facts, Findings& to) {
  if (!facts.somaxconn) return;
  std::string found = fmt::format("somaxconn {}", format_count(*facts.somaxconn));
  if (*facts.somaxconn >= kGoodBacklog) return ok(to, "backlog", std::move(found));
  to.push_back({"backlog", FindingLevel::note, std::move(found),
                "a burst of connections overflows a target's queue: their handshakes are repeated "
                "after 1 s, which shows as a connect time of 1 s or more",
                fmt::format("sysctl -w net.core.somaxconn={}", kGoodBacklog)});
}

void judge_cpus(const MachineFacts& facts, Findings& to) {
  if (!facts.cpus_allowed) return;
  const unsigned allowed = *facts.cpus_allowed;
  const unsigned online = std::max(allowed, facts.cpus_online.value_or(allowed));
  std::string found = fmt::format("{} of {} CPUs may be used", allowed, online);
  if (allowed == 1) {
    to.push_back({"cpus", FindingLevel::warn, std::move(found),
                  "generator and target take turns on one CPU: response times hold the time the "
                  "other one ran, and spinning would be a disaster",
                  online > 1 ? "allow more: taskset -pc 0-" + std::to_string(online - 1) + " $$"
                             : "use a machine with 2 CPUs or more, or drive a target elsewhere"});
    return;
  }
  if (allowed < 4) {
    to.push_back({"cpus", FindingLevel::note, std::move(found),
                  fmt::format("generator threads, target threads and the kernel share {} CPUs: a "
                              "local target takes from the generator's speed",
                              allowed),
                  "keep --threads 1 and use --pin, or drive a target on another machine"});
    return;
  }
  ok(to, "cpus", std::move(found));
}

void judge_clock(const MachineFacts& facts, Findings& to) {
  if (!facts.clock_source) return;
  // Those that the vDSO reads without a system call.
  constexpr std::array<std::string_view, 4> kFast{"tsc", "kvm-clock", "arch_sys_counter",
                                                  "hyperv_clocksource_tsc_page"};
  const std::string& source = *facts.clock_source;
  if (std::find(kFast.begin(), kFast.end(), source) != kFast.end()) {
    return ok(to, "clock", source);
  }
  to.push_back({"clock", FindingLevel::warn, source,
                "every reading of the clock is a system call of a microsecond or so: response "
                "times and the top rate suffer",
                "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource (when "
                "available_clocksource lists it)"});
}

void judge_congestion(const MachineFacts& facts, Findings& to) {
  if (!facts.tcp_congestion) return;
  const std::string& name = *facts.tcp_congestion;
  if (name != "bbr") return ok(to, "tcp_congestion", name);
  to.push_back(
      {"tcp_congestion", FindingLevel::note, name,
       "it paces what TCP sends by timers: streams and large messages over TCP are held "
       "back where UDP is not",
       "compare with --congestion cubic, or sysctl -w net.ipv4.tcp_congestion_control=cubic"});
}

void judge_offload(std::string id, std::string_view name, std::string_view spoils,
                   const std::optional<bool>& works, Findings& to) {
  if (!works) return;
  if (*works) return ok(to, std::move(id), fmt::format("{} works", name));
  to.push_back({std::move(id), FindingLevel::note, fmt::format("{} does not work here", name),
                std::string(spoils), "Linux 5.0 or later; gVisor and old containers lack it"});
}

void judge_steal(const MachineFacts& facts, Findings& to) {
  if (!facts.steal_ratio) return;
  std::string found = format_ratio(*facts.steal_ratio) + " of the CPU time was stolen just now";
  if (*facts.steal_ratio <= kMuchSteal) return ok(to, "steal", std::move(found));
  to.push_back({"steal", FindingLevel::warn, std::move(found),
                "the hypervisor stops this machine for milliseconds at a time: p99 and above are "
                "its doing, not the target's",
                "use dedicated CPUs, or many repetitions in interleaved rounds"});
}

void judge_governor(const MachineFacts& facts, Findings& to) {
  if (!facts.governor) return;
  if (*facts.governor == "performance") return ok(to, "governor", *facts.governor);
  to.push_back({"governor", FindingLevel::warn, *facts.governor,
                "CPUs slow down between messages: low rates look slower than high ones, and runs "
                "differ",
                "cpupower frequency-set -g performance"});
}

void judge_hypervisor(const MachineFacts& facts, Findings& to) {
  if (!facts.hypervisor) return;
  const std::string named = *facts.hypervisor == "yes" ? "" : " (" + *facts.hypervisor + ")";
  to.push_back({"hypervisor", FindingLevel::note, "a virtual machine" + named,
                "waking another CPU takes tens of microseconds, and neighbours are noise",
                "compare results of one and the same machine only"});
}

void judge_load(const MachineFacts& facts, Findings& to) {
  if (!facts.load_1m) return;
  const double cpus = std::max(1U, facts.cpus_allowed.value_or(1));
  std::string found = fmt::format("load average {:.2f} over the last minute", *facts.load_1m);
  if (*facts.load_1m <= cpus / 2) return ok(to, "load", std::move(found));
  to.push_back({"load", FindingLevel::note, std::move(found),
                "other programs take CPU time from the generator and the target",
                "stop them (top shows who), or wait"});
}

void judge_ipv6(const MachineFacts& facts, Findings& to) {
  if (!facts.ipv6_loopback) return;
  if (*facts.ipv6_loopback) return ok(to, "ipv6", "::1 works");
  to.push_back({"ipv6", FindingLevel::note, "no ::1", "IPv6 endpoints cannot be reached",
                "sysctl -w net.ipv6.conf.lo.disable_ipv6=0"});
}

void judge_build(const MachineFacts& facts, Findings& to) {
  if (!facts.build) return;
  if (!is_slow_build(*facts.build)) return ok(to, "build", *facts.build);
  to.push_back({"build", FindingLevel::warn, *facts.build,
                "this volley is several times slower than it could be",
                "measure with the release build: cmake --preset release"});
}

}  // namespace

std::vector<Finding> judge_machine(const MachineFacts& facts) {
  Findings findings;
  judge_descriptors(facts, findings);
  judge_ports(facts, findings);
  judge_receive_buffer(facts, findings);
  judge_send_buffer(facts, findings);
  judge_backlog(facts, findings);
  judge_cpus(facts, findings);
  judge_load(facts, findings);
  judge_steal(facts, findings);
  judge_governor(facts, findings);
  judge_hypervisor(facts, findings);
  judge_clock(facts, findings);
  judge_congestion(facts, findings);
  judge_offload("udp_gso", "UDP_SEGMENT (one call sends many datagrams)",
                "floods of datagrams cost a pass through the kernel each", facts.udp_gso, findings);
  judge_offload("udp_gro", "UDP_GRO (one call receives many datagrams)",
                "receiving floods costs a pass through the kernel for each datagram", facts.udp_gro,
                findings);
  judge_ipv6(facts, findings);
  judge_build(facts, findings);
  return findings;
}

}  // namespace volley
