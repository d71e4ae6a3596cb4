// The answers of one UDP socket on their way out: a batch that leaves with one call.
//
// Answers of one size to one peer are one slot of the batch, which the kernel divides. Where it
// refuses that, the same datagrams leave one by one from then on.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "targets/serve/answer_queue.hpp"
#include "targets/serve/context.hpp"
#include "targets/wire/datagrams.hpp"
#include "targets/wire/frame.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

class UdpSender {
 public:
  // `slots` slots a call. `divides`: slots of several datagrams may be added. The socket and the
  // context must outlive it.
  UdpSender(const Descriptor& socket, ThreadContext& context, std::size_t slots, bool divides);

  [[nodiscard]] bool divides() const { return divides_; }
  // Nothing waits to be sent.
  [[nodiscard]] bool empty() const { return batch_.size() == 0; }
  // Room for one more slot and kRoomBytes of room().
  [[nodiscard]] bool has_room() const {
    return !batch_.full() && (memory_.empty() || memory_.size() - used_ >= kRoomBytes);
  }
  [[nodiscard]] std::size_t slots_left() const { return most_ - batch_.size(); }

  // Memory for answers that cannot be made where their requests lie: at least kRoomBytes while
  // has_room(). What add() is given of its beginning is kept until it has left.
  [[nodiscard]] std::span<std::byte> room();

  // With nothing added: sends one answer by a call of its own. False: the socket is full. An answer
  // that the kernel refuses is counted and given up, as by flush().
  [[nodiscard]] bool send_at_once(std::span<const std::byte> bytes, const Address& peer);
  // From now on every peer is the one the socket is connected to.
  void keep_to_peer() { connected_ = true; }

  // Adds an answer, or a row of them of `each` bytes (only the last may be shorter; each 0: one).
  // The bytes must stay where they are until flush() returns true; addresses are copied.
  void add(std::span<const std::byte> bytes, const Address& peer, const LocalAddress& local,
           int ttl, std::size_t each = 0);
  void add_control(std::span<const std::byte> bytes, const Address& peer,
                   const LocalAddress& local);
  // Adds every copy of an answer, for which there must be slots.
  void add(OwnedAnswer answer);
  // The answer added last, a stamped response, shall say when it leaves.
  void stamp_when_sent(std::span<std::byte> answer) { to_stamp_.push_back(answer); }
  // Sends what there is. False: the socket is full, and the rest waits for the next call.
  [[nodiscard]] bool flush(MonoTime now);

  static constexpr std::size_t kRoomBytes = 65'536;

 private:
  static constexpr std::size_t kMemoryBytes = 4 * kRoomBytes;
  struct Note {
    std::size_t bytes = 0;
    std::size_t each = 0;  // 0: one datagram
    bool is_control = false;
    [[nodiscard]] std::size_t datagrams() const {
      return each == 0 ? 1 : (bytes + each - 1) / each;
    }
  };

  void note(std::span<const std::byte> bytes, std::size_t each, bool is_control);
  void note_sent(std::size_t count, MonoTime now);
  [[nodiscard]] int send_singly();
  void stamp();
  // After a send that failed: what to do about the first slot that has not left.
  void refuse(int error);

  const Descriptor& socket_;
  ThreadContext& context_;
  std::size_t most_;
  bool divides_;
  bool connected_ = false;
  SendBatch batch_;
  std::vector<Note> notes_;           // of each slot of batch_
  std::vector<RequestName> names_;    // likewise; only with an event log
  std::size_t sent_ = 0;              // slots of batch_ that have left
  std::size_t sent_of_slot_ = 0;      // bytes of the next one that have left, sent singly
  std::vector<OwnedAnswer> leaving_;  // memory of slots of batch_
  std::vector<std::span<std::byte>> to_stamp_;
  std::vector<std::byte> memory_;  // what room() hands out; made when it is first needed
  std::size_t used_ = 0;
};

}  // namespace volley
