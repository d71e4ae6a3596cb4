#include "targets/serve/sessions.hpp"

namespace volley {

void UdpSessions::count(const Address& peer, const Frame& frame) {
  Session& session = table_.touch(peer_key(peer, frame.session));
  SessionStatistics& counted = session.counted;
  const auto arrival = session.tracker.arrive(frame.sequence);
  const bool first_copy = arrival == SequenceTracker::Arrival::in_order ||
                          arrival == SequenceTracker::Arrival::reordered;
  if (frame.kind == FrameKind::data_warm_up) {
    if (first_copy) ++counted.warm_up_messages;
    return;
  }
  if (first_copy) {
    ++counted.messages;
    counted.bytes += kFrameBytes + frame.length;
  }
  if (arrival == SequenceTracker::Arrival::reordered) ++counted.reordered;
  if (arrival == SequenceTracker::Arrival::duplicate) ++counted.duplicates;
  // So far behind that a copy cannot be told from a straggler: neither is claimed.
  if (arrival == SequenceTracker::Arrival::too_old) ++counted.malformed;
}

SessionStatistics UdpSessions::statistics(const Address& peer, std::uint32_t session) {
  const Session* found = table_.find(peer_key(peer, session));
  return found == nullptr ? SessionStatistics{} : found->counted;
}

}  // namespace volley
