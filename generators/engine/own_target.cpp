// Our own target as a child process. One idea: everything the child needs is laid out before the
// fork, so that between fork and exec only system calls happen.
#include "generators/engine/own_target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <string_view>
#include <utility>

#include "generators/engine/host.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/time.hpp"
#include "targets/wire/tuning.hpp"

namespace volley {
namespace {

constexpr Nanos kMostStart = std::chrono::seconds(10);
constexpr Nanos kMostStop = std::chrono::seconds(5);
constexpr std::size_t kMostOutput = 65'536;  // a target says less before it listens
constexpr int kCannotExecute = 127;

RunError setup_error(const std::string& what) {
  return {"own_target", "setup", "own target: " + what};
}

int milliseconds_until(MonoTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - mono_now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

// Runs in the child: from here on it is a target, and never returns.
[[noreturn]] void become_target(int output, char* const* argv, pid_t parent,
                                const std::optional<unsigned>& cpu) {
  // The parent may have died before prctl could ask for the signal: then nobody would send it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  setpgid(0, 0);
  if (cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(*cpu, &set);
    sched_setaffinity(0, sizeof set, &set);  // a wish: an unpinned target works too
  }
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output == STDOUT_FILENO) {
    fcntl(output, F_SETFD, 0);  // dup2 to itself would leave close-on-exec set
  } else {
    dup2(output, STDOUT_FILENO);
  }
  if (nothing > 0) dup2(nothing, STDIN_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  execv("/proc/self/exe", argv);
  _exit(kCannotExecute);
}

// What the child's lines have told so far.
struct Listening {
  OwnTargetKind kind;
  std::optional<HostPort> udp, tcp;

  void read(std::string_view line) {
    constexpr std::string_view kWord = "listening ";
    if (!line.starts_with(kWord)) return;
    const Endpoint endpoint = parse_endpoint("own target", line.substr(kWord.size()));
    (endpoint.protocol == Protocol::udp ? udp : tcp) = endpoint.where;
  }
  [[nodiscard]] bool complete() const {
    const bool wants_udp = kind != OwnTargetKind::tcp_echo;
    const bool wants_tcp = kind == OwnTargetKind::all || kind == OwnTargetKind::tcp_echo;
    return (udp || !wants_udp) && (tcp || !wants_tcp);
  }
};

// Reads the child's output until it has named its endpoints.
HostPort wait_for_listening(const Descriptor& output, OwnTargetKind kind) {
  const MonoTime deadline = mono_now() + kMostStart;
  Listening listening{kind, {}, {}};
  std::string text;
  std::size_t total = 0;
  while (!listening.complete()) {
    pollfd wait{.fd = output.get(), .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) throw setup_error("does not say where it listens (waited 10s)");
    std::array<char, 4096> buffer{};
    const ssize_t n = read(output.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw setup_error("ended before it listened");
    total += static_cast<std::size_t>(n);
    if (total > kMostOutput) throw setup_error("talks without saying where it listens");
    text.append(buffer.data(), static_cast<std::size_t>(n));
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      listening.read(std::string_view(text).substr(0, end));
      text.erase(0, end + 1);
    }
  }
  if (listening.tcp && listening.udp && *listening.udp != *listening.tcp) {
    throw setup_error(fmt::format("listens on two places (udp {}, tcp {}) [one for both]",
                                  to_string(*listening.udp), to_string(*listening.tcp)));
  }
  return listening.udp ? *listening.udp : *listening.tcp;
}

// Throws away what the child still says (a full pipe would keep it from ending), for a few ms.
void drain(Descriptor& output) {
  pollfd wait{.fd = output.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&wait, output.is_open() ? 1 : 0, 2);
  if (ready <= 0) return;
  std::array<char, 4096> buffer{};
  const ssize_t n = read(output.get(), buffer.data(), buffer.size());
  if (n == 0 || (n < 0 && errno != EINTR)) output.close();
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Whether a target that serves nothing else has one peer in its life.
bool has_one_peer(const RunPlan& plan) { return plan.workload == Workload::rr && plan.flows == 1; }

std::string word_of(OwnTargetKind kind) {
  switch (kind) {
    case OwnTargetKind::udp_echo:
      return "udp-echo";
    case OwnTargetKind::udp_sink:
      return "udp-sink";
    case OwnTargetKind::tcp_echo:
      return "tcp-echo";
    case OwnTargetKind::all:
      break;
  }
  return "all";
}

}  // namespace

std::optional<unsigned> own_target_cpu(bool pin, unsigned threads) {
  const std::vector<unsigned> cpus = allowed_cpus();
  if (!pin || cpus.size() <= threads) return std::nullopt;
  return cpus.back();
}

bool own_target_sits_beside(const RunPlan& plan) {
  return plan.pin && plan.protocol == Protocol::tcp && plan.workload == Workload::rr &&
         plan.wait != Wait::spin && !plan.open_loop() && plan.threads > 1 &&
         plan.threads == allowed_cpus().size();
}

OwnTargetKind own_target_kind(const RunPlan& plan) {
  // With one peer, a target that spins gains nothing by it over TCP: it is 2 % faster where a look
  // at its UDP socket lies between two at the connection, whose lock the sender's segments need
  // too.
  if (plan.protocol == Protocol::tcp) {
    const bool echo_alone =
        (has_one_peer(plan) && plan.wait != Wait::spin) || own_target_sits_beside(plan);
    return echo_alone ? OwnTargetKind::tcp_echo : OwnTargetKind::all;
  }
  if (plan.workload == Workload::rr || plan.workload == Workload::hold)
    return OwnTargetKind::udp_echo;
  return plan.workload == Workload::stream ? OwnTargetKind::udp_sink : OwnTargetKind::all;
}

std::vector<std::string> own_target_arguments(const RunPlan& plan, OwnTargetKind kind) {
  std::vector<std::string> arguments;
  if (!plan.wants_offload()) arguments.insert(arguments.end(), {"--offload", "off"});
  if (plan.exchange == ExchangeKind::frame && kind != OwnTargetKind::tcp_echo)
    arguments.emplace_back("--frames-only");
  const bool echoes = kind == OwnTargetKind::udp_echo || kind == OwnTargetKind::tcp_echo;
  if (echoes && has_one_peer(plan)) arguments.emplace_back("--one-peer");
  if (kind == OwnTargetKind::tcp_echo && own_target_sits_beside(plan))
    arguments.insert(arguments.end(),
                     {"--threads", std::to_string(plan.threads), "--pin", "--deal", "cpu"});
  if (plan.discard) arguments.emplace_back("--discard");
  if (plan.wait == Wait::spin && allowed_cpus().size() > plan.threads)
    arguments.insert(arguments.end(), {"--wait", "spin"});
  return arguments;
}

OwnTarget::OwnTarget(const std::vector<std::string>& arguments, std::optional<unsigned> cpu,
                     OwnTargetKind kind) {
  std::vector<std::string> words{"volley",   "target",      word_of(kind),
                                 "--listen", "127.0.0.1:0", "--quiet"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw setup_error("no pipe to it: " + error_text(errno));
  }
  output_ = Descriptor(ends[0]);
  Descriptor child_output(ends[1]);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw setup_error("no process for it: " + error_text(errno));
  if (pid_ == 0) become_target(child_output.get(), argv.data(), parent, cpu);
  child_output.close();
  try {
    where_ = wait_for_listening(output_, kind);
  } catch (const UsageError& e) {
    stop();
    throw setup_error(e.what());
  } catch (...) {
    stop();
    throw;
  }
}

OwnTarget::OwnTarget(OwnTarget&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::move(other.output_)),
      where_(std::move(other.where_)) {}

OwnTarget::~OwnTarget() { stop(); }

std::optional<double> OwnTarget::cpu_seconds() const {
  clockid_t clock{};
  timespec time{};
  if (pid_ <= 0 || clock_getcpuclockid(pid_, &clock) != 0) return std::nullopt;
  if (clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::optional<ChildUsage> OwnTarget::stop() {
  if (pid_ <= 0) return std::nullopt;
  const pid_t child = std::exchange(pid_, -1);
  kill(child, SIGTERM);
  const MonoTime deadline = mono_now() + kMostStop;
  bool killed = false;
  rusage usage{};
  pid_t ended = 0;
  while (ended == 0) {
    ended = wait4(child, nullptr, WNOHANG, &usage);
    if (ended < 0 && errno == EINTR) ended = 0;
    if (ended != 0) break;
    if (!killed && mono_now() >= deadline) {
      kill(child, SIGKILL);
      killed = true;
    }
    drain(output_);
  }
  output_.close();
  if (ended != child) return std::nullopt;
  return ChildUsage{.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

}  // namespace volley
