// What a UDP socket of a target must be told beside each datagram. Every piece costs each datagram
// something, so it is asked for only where a decision or an answer depends on it.
#pragma once

#include "targets/serve/options.hpp"
#include "targets/wire/address.hpp"
#include "targets/wire/datagrams.hpp"

namespace volley {

struct DatagramNeeds {
  bool segments = false;  // several datagrams may come in one slot
  bool local = false;     // an answer must leave from the address that was asked
  bool ttl = false;       // plain text is answered, but not if it bears the mark of an answer

  [[nodiscard]] Details details() const {
    if (local || ttl) return Details::all;
    return segments ? Details::segments : Details::none;
  }
};

// Of a socket bound to `where`. A socket bound to one loopback address answers from there anyway;
// the last address of 127.0.0.0/8 is a broadcast, from which nobody can answer. With --one-peer
// that holds for any one address: one that is a broadcast has no peer.
[[nodiscard]] inline DatagramNeeds needs_of(const ServeOptions& options, const Address& where) {
  const bool one_address = where.is_loopback() && !where.is_broadcast();
  const bool answers_plain = options.kind != TargetKind::udp_sink && !options.frames_only;
  const bool kept = options.one_peer && !where.is_wildcard() && !where.is_broadcast();
  return {.segments = options.offload != Offload::off,
          .local = !one_address && !kept,
          .ttl = answers_plain};
}

}  // namespace volley
