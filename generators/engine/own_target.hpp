// Our own target as a child process, for `volley run udp` and `volley duel` without a host: this
// executable again, so that CPU time, memory and descriptors of the two sides are told apart.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "generators/plan/plan.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

// CPU time of a child that has ended.
struct ChildUsage {
  double cpu_s = 0;
};

// The CPU to pin our own target to, so that it and `threads` pinned workers (the first CPUs this
// process may run on) keep out of each other's way: the last allowed CPU; none without `pin` or
// when the workers need them all.
[[nodiscard]] std::optional<unsigned> own_target_cpu(bool pin, unsigned threads);

// Whether our own target should have a thread on each CPU, beside the worker that is tied to it,
// and serve there what that worker sends: a closed loop of rr over TCP with workers for all CPUs.
// Nothing then crosses from CPU to CPU; the two threads of a CPU take turns, many requests at a
// time.
[[nodiscard]] bool own_target_sits_beside(const RunPlan& plan);

// `all` serves every workload over both protocols; the others less, with one socket for their
// thread, on which it can wait the cheapest way.
enum class OwnTargetKind : std::uint8_t { all, udp_echo, udp_sink, tcp_echo };
[[nodiscard]] OwnTargetKind own_target_kind(const RunPlan& plan);
// What our own target must be told for this plan: what it will be sent, so that it need not be
// ready for more (plain text, datagrams that travel together, other peers), and how to wait. It
// spins with the generator when there is a CPU left for it.
[[nodiscard]] std::vector<std::string> own_target_arguments(const RunPlan& plan,
                                                            OwnTargetKind kind);

class OwnTarget {
 public:
  // Starts `volley target KIND --listen 127.0.0.1:0` and the further arguments, and waits (at most
  // 10 s) for its `listening` lines. Call before any thread exists. The child dies with its parent
  // (PR_SET_PDEATHSIG) and ignores the terminal's Ctrl-C (own process group).
  // `cpu`: pin the child to this CPU. Throws RunError{"own_target", "setup"}.
  explicit OwnTarget(const std::vector<std::string>& arguments, std::optional<unsigned> cpu,
                     OwnTargetKind kind = OwnTargetKind::all);
  OwnTarget(OwnTarget&&) noexcept;
  OwnTarget& operator=(OwnTarget&&) = delete;
  ~OwnTarget();  // stops the child

  // Where it listens. One of kind `all` has UDP and TCP on one port.
  [[nodiscard]] const HostPort& where() const { return where_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // User and system time of the child so far (its CPU clock); none when it is gone.
  [[nodiscard]] std::optional<double> cpu_seconds() const;
  // Sends SIGTERM, waits (at most 5 s, then SIGKILL) and tells what it cost.
  std::optional<ChildUsage> stop();

 private:
  pid_t pid_ = -1;
  Descriptor output_;
  HostPort where_;
};

}  // namespace volley
