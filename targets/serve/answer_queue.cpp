#include "targets/serve/answer_queue.hpp"

#include <algorithm>

namespace volley {

AnswerQueue::AnswerQueue(const HashKey& key, EventWriter& events)
    : events_(events), flows_(kMostFlows, key) {
  flows_.on_evict([this](PeerFlow& flow) {
    for (const auto& held : flow.held) bytes_ -= cost(held.answer);
    discarded_ += flow.held.size();
    waiting_ -= flow.held.size();
  });
}

std::size_t AnswerQueue::cost(const OwnedAnswer& answer) {
  return answer.bytes.size() + sizeof(OwnedAnswer);
}

PeerFlow& AnswerQueue::count_request(const Address& peer) {
  PeerFlow& flow = flows_.touch(peer_key(peer));
  if (flow.ordinal == 0) flow.ordinal = next_ordinal_++;
  ++flow.requests;
  return flow;
}

bool AnswerQueue::push(OwnedAnswer answer, MonoTime due, MonoTime now) {
  if (due <= now && delayed_.empty()) {
    depart(std::move(answer), now);
    return true;
  }
  if (bytes_ + cost(answer) > kMostBytes) {
    ++discarded_;
    return false;
  }
  bytes_ += cost(answer);
  ++waiting_;
  delayed_.push(Delayed{.due = due, .id = next_id_++, .answer = std::move(answer)});
  return true;
}

void AnswerQueue::advance(MonoTime now) {
  while (!delayed_.empty() && delayed_.top().due <= now) {
    OwnedAnswer answer = std::move(delayed_.top().answer);
    delayed_.pop();
    bytes_ -= cost(answer);
    --waiting_;
    depart(std::move(answer), now);
  }
  expire(now);
}

std::optional<MonoTime> AnswerQueue::next_due() const {
  std::optional<MonoTime> due;
  if (!delayed_.empty()) due = delayed_.top().due;
  if (!expiries_.empty() && (!due || expiries_.top().at < *due)) due = expiries_.top().at;
  return due;
}

void AnswerQueue::depart(OwnedAnswer answer, MonoTime now) {
  if (answer.overtaken && bytes_ + cost(answer) <= kMostBytes) {
    hold(std::move(answer), now);
    return;
  }
  const Address peer = answer.request.peer;
  ready_.push_back(std::move(answer));
  on_left(peer, now);
}

void AnswerQueue::hold(OwnedAnswer answer, MonoTime now) {
  const PeerKey peer = peer_key(answer.request.peer);
  PeerFlow* flow = flows_.find(peer);
  if (flow == nullptr) {  // the flow made room for others while its answer was delayed
    ready_.push_back(std::move(answer));
    return;
  }
  events_.write(now, answer.request, Event::held);
  ++held_count_;
  ++waiting_;
  bytes_ += cost(answer);
  const std::uint64_t id = next_id_++;
  expiries_.push({.at = now + Behaviour::kLongestHold, .peer = peer, .id = id});
  flow->held.push_back(
      {.id = id, .waits_for = Behaviour::kOvertakenBy, .answer = std::move(answer)});
}

void AnswerQueue::release(PeerFlow::Held&& held, MonoTime now) {
  events_.write(now, held.answer.request, Event::released);
  bytes_ -= cost(held.answer);
  --waiting_;
  ready_.push_back(std::move(held.answer));
}

// An answer left: those of its flow that are held come nearer to their turn.
void AnswerQueue::on_left(const Address& peer, MonoTime now) {
  PeerFlow* flow = flows_.find(peer_key(peer));
  if (flow == nullptr || flow->held.empty()) return;
  for (auto& held : flow->held) --held.waits_for;
  // The first ones held wait for the fewest.
  std::size_t done = 0;
  while (done < flow->held.size() && flow->held[done].waits_for == 0) {
    release(std::move(flow->held[done++]), now);
  }
  flow->held.erase(flow->held.begin(), flow->held.begin() + static_cast<std::ptrdiff_t>(done));
}

void AnswerQueue::expire(MonoTime now) {
  while (!expiries_.empty() && expiries_.top().at <= now) {
    const Expiry expiry = expiries_.top();
    expiries_.pop();
    PeerFlow* flow = flows_.find(expiry.peer);
    if (flow == nullptr) continue;
    const auto found = std::find_if(flow->held.begin(), flow->held.end(),
                                    [&](const auto& held) { return held.id == expiry.id; });
    if (found == flow->held.end()) continue;  // it was overtaken long ago
    release(std::move(*found), now);
    flow->held.erase(found);
  }
}

}  // namespace volley
