#include "targets/serve/sessions.hpp"

#include <algorithm>

#include "reports/measure/ensure.hpp"

namespace volley {

UdpSessions::UdpSessions(const HashKey& key) : table_(kMost, key) {
  table_.on_evict([](Session& session) { StreamFigures::forget(session.flow); });
}

UdpSessions::Session& UdpSessions::session_of(const Address& peer, std::uint32_t session) {
  const bool again = latest_.its != nullptr && latest_.session == session && latest_.peer == peer;
  return again ? *latest_.its : look_up(peer, session);
}

UdpSessions::Session& UdpSessions::look_up(const Address& peer, std::uint32_t session) {
  Session& its = table_.touch(peer_key(peer, session));
  if (!its.admitted) figures_.admit(its.flow, peer, session);
  its.admitted = true;
  latest_ = {.peer = peer, .session = session, .its = &its};
  return its;
}

// What every datagram of a stream goes through that came by itself: as one piece, since what it
// calls is shorter than calling it.
[[gnu::flatten]] void UdpSessions::count(const Address& peer, const Frame& frame,
                                         MonoTime received) {
  Session& session = session_of(peer, frame.session);
  const StreamFigures::Messages message{
      .first = frame.sequence, .measured = frame.kind == FrameKind::data, .sent = frame.slot};
  if (!StreamFigures::arrive_in_order(session.flow, message, received)) {
    count_out_of_order(session, frame, received);
  } else if (message.measured) {
    ++session.counted.messages;
    session.counted.bytes += kFrameBytes + frame.length;
  } else {
    ++session.counted.warm_up_messages;
  }
}

void UdpSessions::count_row(const Address& peer, std::span<const std::byte> row, std::size_t each,
                            MonoTime received) {
  const auto first = read_frame(row);
  ensure(first.has_value(), "a row that is counted consists of frames");
  Session& session = session_of(peer, first->session);
  SessionStatistics& counted = session.counted;
  const bool measured = first->kind == FrameKind::data;
  while (!row.empty()) {
    // What left with one call says the same time.
    const std::size_t n = count_sent_together(row, each);
    const auto part = row.first(std::min(n * each, row.size()));
    const StreamFigures::Messages messages{
        .first = sequence_of(part), .n = n, .measured = measured, .sent = slot_of(part)};
    if (StreamFigures::arrive_in_order(session.flow, messages, received)) {
      if (measured) {
        counted.messages += n;
        counted.bytes += part.size();
      } else {
        counted.warm_up_messages += n;
      }
      row = row.subspan(part.size());
      continue;
    }
    // The first by itself; those behind it may be in order again.
    if (const auto frame = read_frame(part)) count_out_of_order(session, *frame, received);
    row = row.subspan(std::min(each, row.size()));
  }
}

void UdpSessions::count_out_of_order(Session& session, const Frame& frame, MonoTime received) {
  SessionStatistics& counted = session.counted;
  const bool measured = frame.kind == FrameKind::data;
  const auto arrival = StreamFigures::arrive(
      session.flow, {.first = frame.sequence, .measured = measured, .sent = frame.slot}, received);
  const bool first_copy = arrival == SequenceTracker::Arrival::in_order ||
                          arrival == SequenceTracker::Arrival::reordered;
  if (!measured) {
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

ArrivalQuality UdpSessions::quality(const Address& peer, std::uint32_t session) const {
  return figures_.of(peer, session).value_or(ArrivalQuality{});
}

SessionStatistics UdpSessions::statistics(const Address& peer, std::uint32_t session) {
  const Session* found = table_.find(peer_key(peer, session));
  return found == nullptr ? SessionStatistics{} : found->counted;
}

}  // namespace volley
