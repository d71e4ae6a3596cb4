// What each UDP session received: stream messages, told apart by their sequence numbers.
#pragma once

#include <cstddef>
#include <span>

#include "reports/measure/sequence.hpp"
#include "targets/serve/peer_table.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

class UdpSessions {
 public:
  explicit UdpSessions(const HashKey& key) : table_(kMost, key) {}

  // Counts a data or data_warm_up frame.
  void count(const Address& peer, const Frame& frame);
  // Counts a row of such frames of one kind and session, `each` bytes (only the last may be
  // shorter): the same as one after another, at the price of one where their numbers ascend.
  void count_row(const Address& peer, std::span<const std::byte> row, std::size_t each);
  // What was counted so far; zeros for a session nobody has heard of.
  [[nodiscard]] SessionStatistics statistics(const Address& peer, std::uint32_t session);

  static constexpr std::size_t kMost = 4096;
  // 8 KiB of bits a session at most, so that all of them together stay below 34 MiB.
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 16U;

 private:
  struct Session {
    SequenceTracker tracker{kWindow};
    SessionStatistics counted;
  };
  static void count(Session& session, const Frame& frame);

  PeerTable<Session> table_;
};

}  // namespace volley
