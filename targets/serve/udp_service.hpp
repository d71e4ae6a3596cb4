// One UDP socket of one thread: batches of datagrams in, decisions, batches of answers out.
//
// Without programmed behaviour an answer is made in place, in the slot the request came in, and the
// batch goes out with one call: no copies, no allocation, no clock. Otherwise answers pass through
// an AnswerQueue. While an answer cannot be sent nothing is read, so nothing piles up.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "targets/serve/answer_queue.hpp"
#include "targets/serve/answer_rules.hpp"
#include "targets/serve/context.hpp"
#include "targets/serve/sessions.hpp"
#include "targets/wire/datagrams.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

class UdpService {
 public:
  // `index` comes back as the index of the socket's tag. Throws RunError (too_many_files).
  UdpService(Descriptor socket, ThreadContext& context, std::uint32_t index);
  UdpService(const UdpService&) = delete;
  UdpService& operator=(const UdpService&) = delete;

  // The socket is readable, or writable after a full one was waited for.
  void on_ready(const Ready& ready, MonoTime now);
  // Lets the receive call itself be the place where the thread waits: for the only socket of a
  // thread, which nothing but stop_waiting() and a datagram must wake.
  void wait_in_receive();
  // Whether the next datagram is best waited for by receive_next().
  [[nodiscard]] bool waits_in_receive() const {
    return may_wait_ && come_singly_ && !waits_to_write_ && (taken_singly_ + 1) % kLookEvery != 0;
  }
  // Waits for one datagram and serves it.
  void receive_next();
  // Ends a wait in receive_next(), now and for ever. Any thread.
  void stop_waiting() const;
  // Something may be due.
  void on_time(MonoTime now);
  [[nodiscard]] std::optional<MonoTime> next_due() const;
  // Adds what only the end knows to the counters: kernel drops, answers that still waited.
  void finish();

 private:
  static constexpr std::size_t kSlots = 32;
  static constexpr std::size_t kSlotBytes = 65'536;
  static constexpr int kMostRounds = 8;  // batches before other sockets get their turn
  // While datagrams come one by one each is taken by a call for one, which costs less; every eighth
  // time a call for a batch looks whether that is still so.
  static constexpr unsigned kLookEvery = 8;

  [[nodiscard]] std::size_t most_to_take();
  void serve_received(int n, MonoTime now);
  void handle(std::size_t slot, MonoTime now);
  [[nodiscard]] DatagramFacts facts_of(const Received& received) const;
  [[nodiscard]] bool is_own(const Received& received) const;
  void count_ignored(Decision decision);
  void count_taken(Decision decision, const DatagramFacts& facts);
  void show(const Received& received);
  void answer_control(const Received& received, const Frame& frame);
  [[nodiscard]] HelloAck acknowledge(const Hello& hello, const Address& peer) const;
  // The whole memory of the slot that a datagram lies in.
  static std::span<std::byte> slot_of(const Received& received);
  std::span<const std::byte> make_answer(Decision decision, const Received& received,
                                         const DatagramFacts& facts);
  void answer_shaped(Decision decision, const Received& received, const DatagramFacts& facts,
                     MonoTime now);
  void send_ready(MonoTime now);
  void add(std::span<const std::byte> bytes, const Address& peer, const LocalAddress& local,
           int ttl, bool is_control);
  void flush(MonoTime now);
  void note_sent(std::size_t from, std::size_t count, MonoTime now);
  void want_write(bool on);

  Descriptor socket_;
  ThreadContext& context_;
  std::uint32_t index_;
  Address bound_;
  AnswerPolicy policy_;
  bool shaped_;
  bool shows_;
  ReceiveBatch received_;
  SendBatch batch_;
  struct Note {
    std::size_t bytes = 0;
    bool is_control = false;
  };
  std::vector<Note> notes_;           // of each slot of batch_
  std::vector<RequestName> names_;    // likewise; only with an event log
  std::size_t sent_ = 0;              // slots of batch_ that have left
  std::vector<OwnedAnswer> leaving_;  // memory of slots of batch_
  bool waits_to_write_ = false;
  bool come_singly_ = false;  // the last batch had one datagram
  unsigned taken_singly_ = 0;
  bool may_wait_ = false;
  UdpSessions sessions_;
  AnswerQueue queue_;
};

}  // namespace volley
