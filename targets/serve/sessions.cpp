#include "targets/serve/sessions.hpp"

#include <algorithm>

#include "reports/measure/ensure.hpp"

namespace volley {

UdpSessions::Session& UdpSessions::session_of(const Address& peer, std::uint32_t session) {
  const bool again = latest_.its != nullptr && latest_.session == session && latest_.peer == peer;
  return again ? *latest_.its : look_up(peer, session);
}

UdpSessions::Session& UdpSessions::look_up(const Address& peer, std::uint32_t session) {
  Session& its = table_.touch(peer_key(peer, session));
  if (!its.ticket) its.ticket = figures_.admit(peer, session);
  latest_ = {.peer = peer, .session = session, .its = &its};
  return its;
}

void UdpSessions::count(const Address& peer, const Frame& frame, MonoTime received) {
  Session& session = session_of(peer, frame.session);
  count(session, frame);
  figures_.arrive(
      *session.ticket,
      {.first = frame.sequence, .measured = frame.kind == FrameKind::data, .sent = frame.slot},
      received);
}

void UdpSessions::count_row(const Address& peer, std::span<const std::byte> row, std::size_t each,
                            MonoTime received) {
  const auto first = read_frame(row);
  ensure(first.has_value(), "a row that is counted consists of frames");
  Session& session = session_of(peer, first->session);
  SessionStatistics& counted = session.counted;
  while (!row.empty()) {
    // What left with one call says the same time.
    const std::size_t n = count_sent_together(row, each);
    figures_.arrive(*session.ticket,
                    {.first = sequence_of(row),
                     .n = n,
                     .measured = first->kind == FrameKind::data,
                     .sent = slot_of(row)},
                    received);
    auto part = row.first(std::min(n * each, row.size()));
    row = row.subspan(part.size());
    if (session.tracker.arrive_in_order(sequence_of(part), n)) {
      if (first->kind == FrameKind::data_warm_up) {
        counted.warm_up_messages += n;
      } else {
        counted.messages += n;
        counted.bytes += part.size();
      }
      continue;
    }
    for (; !part.empty(); part = part.subspan(std::min(each, part.size()))) {
      if (const auto frame = read_frame(part)) count(session, *frame);
    }
  }
}

void UdpSessions::count(Session& session, const Frame& frame) {
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

ArrivalQuality UdpSessions::quality(const Address& peer, std::uint32_t session) const {
  return figures_.of(peer, session).value_or(ArrivalQuality{});
}

SessionStatistics UdpSessions::statistics(const Address& peer, std::uint32_t session) {
  const Session* found = table_.find(peer_key(peer, session));
  return found == nullptr ? SessionStatistics{} : found->counted;
}

}  // namespace volley
