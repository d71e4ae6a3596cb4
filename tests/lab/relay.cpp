// A relay between volley and a server that does to each datagram what a plan says, and writes down
// what it did: the truth that tests hold reports against. A program of its own that shares no code
// with volley.
//
//   lab_relay --log FILE [--to ADDRESS:PORT] [--forward PLAN] [--backward PLAN] [--seed N]
//             [--max-seconds N] [--max-datagrams N]
//
// Without --to it sends each request straight back, through both plans. What is neither a request
// nor an answer (the byte behind the version, 16 and more: questions about the target) passes at
// once, and is no part of what it tells. Prints `listening PORT` when it is ready; ends on SIGTERM
// or at a limit, and then prints one line of JSON: what it received, and what went wrong on its own
// side, which must be nothing.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <queue>

#include "relay_log.hpp"
#include "relay_plan.hpp"
#include "relay_sockets.hpp"

namespace lab {
namespace {

constexpr std::size_t kMostWaiting = 16'384;  // datagrams at any time
constexpr std::size_t kMostPeers = 64;
constexpr Nanos kHeldAtMost = 50'000'000;
// The kernel wakes a sleeper some tens of microseconds late, so shorter waits are spent looking.
constexpr Nanos kLook = 150'000;
constexpr Nanos kIdle = 100'000'000;
constexpr std::uint8_t kAside = 16;  // kinds of frames from here on are no traffic

volatile sig_atomic_t stop_asked = 0;

struct Datagram {
  std::array<std::uint8_t, kMostBytes> bytes;
  std::size_t length = 0;
  std::size_t peer = 0;
  int copies = 0;
  bool hold = false;
  Record record;
};

struct Options {
  std::string log, to;
  Plan forward, backward;
  std::uint64_t seed = 1;
  double max_seconds = 60;
  std::size_t max_datagrams = 1'000'000;
};

class Relay {
 public:
  explicit Relay(const Options& options)
      : log_(options.max_datagrams),
        fates_{Fates(options.forward, 2 * options.seed),
               Fates(options.backward, 2 * options.seed + 1)},
        pool_(kMostWaiting),
        front_(udp_socket()) {
    if (!options.to.empty()) {
      const auto colon = options.to.rfind(':');
      target_.sin_family = AF_INET;
      target_.sin_port = htons(static_cast<std::uint16_t>(number_of(options.to.substr(colon + 1))));
      if (colon == std::string::npos ||
          inet_pton(AF_INET, options.to.substr(0, colon).c_str(), &target_.sin_addr) != 1)
        throw std::invalid_argument("--to: not ADDRESS:PORT: " + options.to);
    }
    for (std::size_t i = 0; i < kMostWaiting; ++i) free_.push_back(i);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(front_, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) fail("bind");
  }

  [[nodiscard]] int port() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    getsockname(front_, reinterpret_cast<sockaddr*>(&own), &size);
    return ntohs(own.sin_port);
  }

  void run(Nanos until) {
    while (stop_asked == 0 && !log_.full() && now() < until) {
      bool busy = take(front_, false);
      for (std::size_t i = 0; i < backs_.size(); ++i) busy |= take(backs_[i], true, i);
      release();
      if (!busy) rest();
    }
  }

  void report() const {
    std::uint64_t drops = kernel_drops(front_);
    for (const int back : backs_) drops += kernel_drops(back);
    std::printf(
        "{\"forward\": %u, \"backward\": %u, \"kernel_drops\": %llu, \"no_room\": %llu, "
        "\"not_sent\": %llu, \"log_full\": %s}\n",
        arrivals_[0], arrivals_[1], static_cast<unsigned long long>(drops),
        static_cast<unsigned long long>(no_room_), static_cast<unsigned long long>(not_sent_),
        log_.full() ? "true" : "false");
  }
  [[nodiscard]] const Log& log() const { return log_; }

 private:
  struct Waiting {
    Nanos release;
    std::uint64_t order;  // of arrival: what is due together leaves as it came
    std::size_t slot;
    bool operator>(const Waiting& other) const {
      return release != other.release ? release > other.release : order > other.order;
    }
  };
  struct Held {
    std::size_t slot;
    int passers;
    Nanos until;
  };

  bool take(int fd, bool backward, std::size_t peer = 0) {
    const int got = reading_->read(fd);
    for (int i = 0; i < got; ++i) {
      const auto n = static_cast<std::size_t>(i);
      if (!backward) peer = peer_of(reading_->from[n]);
      if (peer == kMostPeers) continue;
      if (reading_->messages[n].msg_len >= 24 && reading_->bytes[n][3] >= kAside) {
        pass(reading_->bytes[n].data(), reading_->messages[n].msg_len, peer, backward);
        continue;
      }
      came(reading_->bytes[n].data(), reading_->messages[n].msg_len, peer, backward,
           reading_->arrived(n));
    }
    return got > 0;
  }

  // The place of a client, with a socket of its own towards the target.
  std::size_t peer_of(const sockaddr_in& from) {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i].sin_port == from.sin_port && peers_[i].sin_addr.s_addr == from.sin_addr.s_addr)
        return i;
    }
    if (peers_.size() == kMostPeers) return kMostPeers;
    peers_.push_back(from);
    if (target_.sin_family == AF_INET) {
      backs_.push_back(udp_socket());
      if (connect(backs_.back(), reinterpret_cast<sockaddr*>(&target_), sizeof target_) != 0)
        fail("connect");
    }
    return peers_.size() - 1;
  }

  void came(const std::uint8_t* bytes, std::size_t length, std::size_t peer, bool backward,
            Nanos at) {
    Record record;
    record.arrival = arrivals_[backward]++;
    record.number = record.arrival;
    if (length >= 24) {
      record.number = 0;
      std::memcpy(&record.number, bytes + 18, 6);
      std::memcpy(&record.flow, bytes + 16, 2);
    }
    record.backward = backward;
    record.received = at;
    const Fate fate = fates_[backward].next(at);
    record.planned = fate.release;
    if (fate.drop) record.action |= kDropped;
    if (fate.corrupt) record.action |= kCorrupted;
    if (fate.hold) record.action |= kHeld;
    if (!fate.drop && free_.empty()) {
      record.action |= kNoRoom;
      ++no_room_;
    }
    if (fate.drop || free_.empty()) {
      log_.add(record);
      return;
    }
    const std::size_t slot = free_.back();
    free_.pop_back();
    Datagram& datagram = pool_[slot];
    std::memcpy(datagram.bytes.data(), bytes, length);
    if (fate.corrupt && length > 0) datagram.bytes[0] ^= 0xFFU;
    datagram.length = length;
    datagram.peer = peer;
    datagram.copies = fate.copies;
    datagram.hold = fate.hold;
    datagram.record = record;
    waiting_.push({fate.release, order_++, slot});
  }

  void release() {
    const Nanos time = now();
    while (!waiting_.empty() && waiting_.top().release <= time) {
      const std::size_t slot = waiting_.top().slot;
      waiting_.pop();
      const bool backward = pool_[slot].record.backward != 0;
      if (pool_[slot].hold) {
        held_[backward].push_back({slot, fates_[backward].plan().passers, time + kHeldAtMost});
      } else {
        leave(slot);
        passed(backward);
      }
    }
    for (auto& held : held_) {
      while (!held.empty() && held.front().until <= time) {
        leave(held.front().slot);
        held.pop_front();
      }
    }
  }

  // One more has passed those that are held in this direction.
  void passed(bool backward) {
    auto& held = held_[backward];
    for (Held& one : held) --one.passers;
    while (!held.empty() && held.front().passers <= 0) {
      leave(held.front().slot);
      held.pop_front();
    }
  }

  void leave(std::size_t slot) {
    const Datagram& datagram = pool_[slot];
    for (int copy = 0; copy <= datagram.copies; ++copy) {
      Record record = datagram.record;
      if (copy > 0) record.action |= kCopy;
      if (send(datagram)) {
        record.sent = now();
      } else {
        record.action |= kNotSent;
        ++not_sent_;
      }
      log_.add(record);
      // Without a target a request is its own answer.
      if (backs_.empty() && record.backward == 0)
        came(datagram.bytes.data(), datagram.length, datagram.peer, true, record.sent);
    }
    free_.push_back(slot);
  }

  bool send(const Datagram& datagram) {
    const bool backward = datagram.record.backward != 0;
    if (!backward && backs_.empty()) return true;
    return pass(datagram.bytes.data(), datagram.length, datagram.peer, backward);
  }

  // Without a target both ways lead to the client.
  bool pass(const std::uint8_t* bytes, std::size_t length, std::size_t peer, bool backward) {
    if (!backward && !backs_.empty()) return ::send(backs_[peer], bytes, length, 0) >= 0;
    return sendto(front_, bytes, length, 0, reinterpret_cast<const sockaddr*>(&peers_[peer]),
                  sizeof(sockaddr_in)) >= 0;
  }

  // Sleeps until something comes, or until shortly before something is due.
  void rest() {
    Nanos due = now() + kIdle;
    if (!waiting_.empty()) due = std::min(due, waiting_.top().release);
    for (const auto& held : held_) {
      if (!held.empty()) due = std::min(due, held.front().until);
    }
    const Nanos left = due - now() - kLook;
    if (left <= 0) return;
    std::array<pollfd, kMostPeers + 1> sockets{};
    sockets[0] = {front_, POLLIN, 0};
    for (std::size_t i = 0; i < backs_.size(); ++i) sockets[i + 1] = {backs_[i], POLLIN, 0};
    const timespec time{left / 1'000'000'000, left % 1'000'000'000};
    ppoll(sockets.data(), backs_.size() + 1, &time, nullptr);
  }

  Log log_;
  std::array<Fates, 2> fates_;  // forward, backward
  std::array<std::uint32_t, 2> arrivals_{};
  std::vector<Datagram> pool_;
  std::vector<std::size_t> free_;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  std::array<std::deque<Held>, 2> held_;
  std::uint64_t order_ = 0, no_room_ = 0, not_sent_ = 0;
  std::unique_ptr<Reading> reading_ = std::make_unique<Reading>();
  int front_;
  sockaddr_in target_{};
  std::vector<sockaddr_in> peers_;
  std::vector<int> backs_;  // one towards the target for each peer
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const std::string value = argv[i + 1];
    if (key == "--log") {
      options.log = value;
    } else if (key == "--to") {
      options.to = value;
    } else if (key == "--forward") {
      options.forward = read_plan(value);
    } else if (key == "--backward") {
      options.backward = read_plan(value);
    } else if (key == "--seed") {
      options.seed = static_cast<std::uint64_t>(number_of(value));
    } else if (key == "--max-seconds") {
      options.max_seconds = std::min(3600.0, number_of(value));
    } else if (key == "--max-datagrams") {
      options.max_datagrams = static_cast<std::size_t>(std::min(1e7, number_of(value)));
    } else {
      throw std::invalid_argument("no such option: " + std::string(key));
    }
  }
  if (options.log.empty() || argc % 2 == 0)
    throw std::invalid_argument("usage: see the head of relay.cpp");
  return options;
}

int work(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  Relay relay(options);
  std::printf("listening %d\n", relay.port());
  std::fflush(stdout);
  relay.run(now() + static_cast<Nanos>(options.max_seconds * 1e9));
  relay.report();
  return relay.log().write(options.log) ? 0 : 1;
}

}  // namespace
}  // namespace lab

int main(int argc, char** argv) {
  try {
    return lab::work(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lab_relay: %s\n", error.what());
    return 2;
  }
}
