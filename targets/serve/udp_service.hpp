// One UDP socket of one thread: batches of datagrams in, decisions, batches of answers out.
//
// Without programmed behaviour an answer is made in place, in the slot the request came in, and the
// batch goes out with one call: no copies, no allocation, no clock. Otherwise answers pass through
// an AnswerQueue. While an answer cannot be sent nothing is read, so nothing piles up.
//
// A slot may hold many datagrams of one peer and size, joined by the kernel. Those of them that are
// decided alike (a row) are judged, answered and counted at once: that costs some nanoseconds a
// datagram.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "targets/serve/answer_queue.hpp"
#include "targets/serve/answer_rules.hpp"
#include "targets/serve/context.hpp"
#include "targets/serve/sessions.hpp"
#include "targets/serve/udp_sender.hpp"
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
  // For a thread that spins: receives without asking the poller, up to `times` until something
  // comes, as long as something has come lately. How many calls it made.
  unsigned try_receive(unsigned times);
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
  static constexpr std::size_t kSlotBytes = UdpSender::kRoomBytes;
  static constexpr int kMostRounds = 8;  // batches before other sockets get their turn
  // While datagrams come one by one each is taken by a call for one, which costs less; every 64th
  // time a call for a batch looks whether that is still so.
  static constexpr unsigned kLookEvery = 64;
  // --one-peer: after so many requests of one peer, each alone, the socket is connected to it.
  static constexpr unsigned kInARow = 64;
  static constexpr unsigned kTries = 1024;  // of try_receive(), until asking the poller is better

  // Datagrams of one peer and size in a row that are decided alike; alone it may be of any kind.
  struct Row {
    std::span<std::byte> bytes;
    std::size_t each = 0;
    [[nodiscard]] std::size_t count() const {
      return bytes.size() <= each ? 1 : (bytes.size() + each - 1) / each;
    }
  };

  // udp_service.cpp: how datagrams come and go.
  [[nodiscard]] std::size_t most_to_take();
  void note_peer(const Address& peer, MonoTime now);
  void keep_to_peer(MonoTime now);
  void serve_received(int n, MonoTime now);
  void serve_in_hand(MonoTime now);
  // When the call returned that brought what is in hand; the clock is read when that is first
  // asked.
  MonoTime time_of_call();
  bool serve_slot(const Received& slot, MonoTime now);
  void send_ready(MonoTime now);
  bool flush(MonoTime now);
  void want_write(bool on);

  // udp_rows.cpp: what is done with them.
  std::size_t handle(const Received& slot, DatagramFacts facts, MonoTime now);
  [[nodiscard]] DatagramFacts facts_of_sender(const Received& slot) const;
  void look_into(std::span<const std::byte> datagram, const Address& peer,
                 DatagramFacts& facts) const;
  [[nodiscard]] bool is_own(const Received& received) const;
  [[nodiscard]] std::size_t count_alike_in(std::span<const std::byte> left, const Received& first,
                                           Decision decision, const DatagramFacts& facts) const;
  [[nodiscard]] std::size_t count_sized(std::span<const std::byte> left, const Received& first,
                                        const DatagramFacts& facts) const;
  void count_ignored(Decision decision, std::size_t n);
  void count_taken(Decision decision, const DatagramFacts& facts, std::size_t n);
  void show(const Received& received);
  void answer(Decision decision, const Received& slot, const Row& row, const DatagramFacts& facts,
              MonoTime now);

  // udp_answers.cpp: the bytes of answers.
  // Answers a request that came alone, if it is of the common kind. True: it is done with.
  bool answer_at_once(const Received& slot);
  void answer_control(const Received& slot, std::span<std::byte> datagram, const Frame& frame,
                      MonoTime now);
  [[nodiscard]] SocketCounters counters(MonoTime now);
  [[nodiscard]] HelloAck acknowledge(const Hello& hello, const Address& peer) const;
  std::span<std::byte> place_of(Decision decision, const Received& slot,
                                std::span<std::byte> datagram);
  std::span<const std::byte> make_answer(Decision decision, std::span<const std::byte> datagram,
                                         std::span<std::byte> place, const DatagramFacts& facts);
  [[nodiscard]] static bool wants_stamps(const DatagramFacts& facts);
  void answer_stamped(const Received& slot, std::span<const std::byte> datagram,
                      std::span<std::byte> place, const DatagramFacts& facts, MonoTime now);
  std::span<const std::byte> answer_sized_row(const Row& row, const DatagramFacts& facts);
  void answer_shaped(Decision decision, const Received& slot, std::span<const std::byte> datagram,
                     std::span<std::byte> place, const DatagramFacts& facts, MonoTime now);

  Descriptor socket_;
  ThreadContext& context_;
  std::uint32_t index_;
  Address bound_;
  AnswerPolicy policy_;
  bool shaped_;
  bool shows_;
  ReceiveBatch received_;
  UdpSender sender_;
  std::optional<MonoTime> time_of_call_;
  std::size_t in_hand_ = 0;  // slots of received_
  std::size_t slot_ = 0;     // the next of them
  std::size_t offset_ = 0;   // into that slot, where the next datagram begins
  bool waits_to_write_ = false;
  bool come_singly_ = false;  // the last batch had one datagram
  unsigned taken_singly_ = 0;
  bool may_wait_ = false;
  unsigned tries_left_ = 0;
  bool seeks_peer_;  // --one-peer, and the socket is not connected yet
  Address last_peer_;
  unsigned in_a_row_ = 0;  // requests of that peer that came alone
  UdpSessions sessions_;
  AnswerQueue queue_;
  bool stamps_ = false;  // the kernel was asked when things come
};

}  // namespace volley
