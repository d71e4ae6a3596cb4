// What each UDP session received: stream messages, told apart by their sequence numbers.
#pragma once

#include <cstddef>

#include "reports/measure/sequence.hpp"
#include "targets/serve/peer_table.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

class UdpSessions {
 public:
  explicit UdpSessions(const HashKey& key) : table_(kMost, key) {}

  // Counts a data or data_warm_up frame.
  void count(const Address& peer, const Frame& frame);
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
  PeerTable<Session> table_;
};

}  // namespace volley
