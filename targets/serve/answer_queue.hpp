// UDP answers that do not leave at once: delayed ones wait for their time, held ones to be
// overtaken.
//
// It decides the order in which answers leave, and nothing else: the service hands answers in and
// takes those that may leave from ready(). Pure but for memory: the caller says what time it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "targets/serve/behaviour.hpp"
#include "targets/serve/event_log.hpp"
#include "targets/serve/peer_table.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {

// An answer with its own copy of the bytes.
struct OwnedAnswer {
  std::vector<std::byte> bytes;
  RequestName request;
  LocalAddress local;
  int ttl = -1;
  unsigned copies = 1;
  bool overtaken = false;  // shall be held back when its time has come
};

// A peer's requests and the answers of its that are held.
struct PeerFlow {
  std::uint64_t ordinal = 0;  // in the order peers appeared; from 1
  std::uint64_t requests = 0;
  struct Held {
    std::uint64_t id = 0;
    unsigned waits_for = 0;  // later answers that still have to leave
    OwnedAnswer answer;
  };
  std::vector<Held> held;
};

class AnswerQueue {
 public:
  AnswerQueue(const HashKey& key, EventWriter& events);

  // The flow of a peer, with its request counted in.
  PeerFlow& count_request(const Address& peer);

  // Takes an answer that may leave at `due`. False: there is no room, and it is gone.
  [[nodiscard]] bool push(OwnedAnswer answer, MonoTime due, MonoTime now);
  // Moves to ready() whatever may leave by now.
  void advance(MonoTime now);
  // Answers to send, in order.
  [[nodiscard]] std::deque<OwnedAnswer>& ready() { return ready_; }
  // When advance() will have something to do; none: nothing waits.
  [[nodiscard]] std::optional<MonoTime> next_due() const;

  [[nodiscard]] std::uint64_t held() const { return held_count_; }
  // Answers that made room or found none, and those that still wait.
  [[nodiscard]] std::uint64_t discarded() const { return discarded_; }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }

  static constexpr std::size_t kMostFlows = 65'536;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

 private:
  struct Delayed {
    MonoTime due;
    std::uint64_t id;  // equal times leave in the order they came
    // The heap only compares; top() is const, and the answer has to be moved out.
    mutable OwnedAnswer answer;
    bool operator>(const Delayed& other) const {
      return due != other.due ? due > other.due : id > other.id;
    }
  };
  struct Expiry {
    MonoTime at;
    PeerKey peer;
    std::uint64_t id;
    bool operator>(const Expiry& other) const {
      return at != other.at ? at > other.at : id > other.id;
    }
  };
  template <typename T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<>>;

  void depart(OwnedAnswer answer, MonoTime now);
  void hold(OwnedAnswer answer, MonoTime now);
  void release(PeerFlow::Held&& held, MonoTime now);
  void on_left(const Address& peer, MonoTime now);
  void expire(MonoTime now);
  static std::size_t cost(const OwnedAnswer& answer);

  EventWriter& events_;
  PeerTable<PeerFlow> flows_;
  std::deque<OwnedAnswer> ready_;
  Earliest<Delayed> delayed_;
  Earliest<Expiry> expiries_;
  std::uint64_t next_id_ = 0;
  std::uint64_t next_ordinal_ = 1;
  std::size_t bytes_ = 0;  // of everything that waits
  std::uint64_t waiting_ = 0;
  std::uint64_t held_count_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace volley
