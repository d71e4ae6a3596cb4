// What each UDP session received: stream messages, told apart by their sequence numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "targets/serve/peer_table.hpp"
#include "targets/serve/stream_figures.hpp"
#include "targets/wire/frame.hpp"

namespace volley {

class UdpSessions {
 public:
  explicit UdpSessions(const HashKey& key);

  // Counts a data or data_warm_up frame. `received`: after the call that brought it.
  void count(const Address& peer, const Frame& frame, MonoTime received);
  // Counts a row of such frames of one kind and session, `each` bytes (only the last may be
  // shorter): the same as one after another, at the price of one where their numbers ascend.
  void count_row(const Address& peer, std::span<const std::byte> row, std::size_t each,
                 MonoTime received);
  // What was counted so far; zeros for a session nobody has heard of.
  [[nodiscard]] SessionStatistics statistics(const Address& peer, std::uint32_t session);
  // How all flows of that run have arrived so far; zeros where that is not known.
  [[nodiscard]] ArrivalQuality quality(const Address& peer, std::uint32_t session) const;

  static constexpr std::size_t kMost = 4096;

 private:
  struct Session {
    StreamFigures::Flow flow;
    SessionStatistics counted;
    bool admitted = false;
  };
  Session& session_of(const Address& peer, std::uint32_t session);
  Session& look_up(const Address& peer, std::uint32_t session);
  static void count_out_of_order(Session& session, const Frame& frame, MonoTime received);

  // The one that was touched last, so that what follows from the same peer needs no table: its
  // keyed hash is most of what counting a datagram costs.
  struct Latest {
    Address peer;
    std::uint32_t session = 0;
    Session* its = nullptr;
  };

  StreamFigures figures_;
  PeerTable<Session> table_;
  Latest latest_;
};

}  // namespace volley
