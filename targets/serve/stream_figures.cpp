#include "targets/serve/stream_figures.hpp"

#include <algorithm>

namespace volley {
namespace {

// A run is told by its number and where it comes from; its flows differ in their ports.
PeerKey key_of_run(const Address& peer, std::uint32_t session) {
  PeerKey key = peer_key(peer, session);
  key.port = 0;
  return key;
}

}  // namespace

StreamFigures::Ticket StreamFigures::admit(const Address& peer, std::uint32_t session) {
  const PeerKey key = key_of_run(peer, session);
  auto its = std::find_if(runs_.begin(), runs_.end(), [&](const auto& r) { return r->key == key; });
  if (its == runs_.end() && runs_.size() < kMostRuns) its = runs_.insert(its, nullptr);
  if (its == runs_.end())
    its = std::min_element(runs_.begin(), runs_.end(),
                           [](const auto& a, const auto& b) { return a->issue < b->issue; });
  if (!*its || (*its)->key != key) {
    *its = std::make_unique<Run>();
    (*its)->key = key;
    (*its)->issue = ++issues_;
  }
  Run& run = **its;
  if (run.flows.size() == kMostFlows) return {};
  run.flows.push_back(std::make_unique<Flow>());
  return {.issue = run.issue,
          .run = static_cast<std::size_t>(its - runs_.begin()),
          .flow = run.flows.size() - 1};
}

void StreamFigures::arrive(const Ticket& ticket, const Messages& messages, MonoTime received) {
  if (ticket.issue == 0 || runs_[ticket.run]->issue != ticket.issue) return;
  Run& run = *runs_[ticket.run];
  Flow& flow = *run.flows[ticket.flow];
  const TimeMark took = time_mark(received) - messages.sent;
  if (!run.base) run.base = took;
  // The delay but for a constant, as if it had been sent that much before it came.
  const Trip trip{.sent = received - between_marks(*run.base, took), .received = received};
  if (messages.measured) flow.arrived.count_from_here();
  Messages rest = messages;
  while (rest.n > 0) {
    if (flow.arrived.arrive_in_order(rest.first, rest.n)) {
      note_in_order(run, flow, rest, trip);
      return;
    }
    arrive_singly(run, flow, rest, trip);
    ++rest.first;
    --rest.n;
  }
}

void StreamFigures::note_in_order(Run& run, Flow& flow, const Messages& messages,
                                  const Trip& trip) {
  flow.variation.arrive(messages.first, messages.n, trip,
                        messages.measured ? &run.variation : nullptr);
  if (!messages.measured) return;
  run.counted.arrived += messages.n;
  run.delays.record(trip.delay(), messages.n);
}

// The first of the messages.
void StreamFigures::arrive_singly(Run& run, Flow& flow, const Messages& messages,
                                  const Trip& trip) {
  using Arrival = SequenceTracker::Arrival;
  const std::uint64_t replicated = flow.arrived.replicated();
  const Arrival arrival = flow.arrived.arrive(messages.first, trip.received,
                                              messages.measured ? &run.reordering : nullptr);
  if (arrival == Arrival::in_order || arrival == Arrival::reordered)
    note_in_order(run, flow, {messages.first, 1, messages.measured, messages.sent}, trip);
  if (arrival != Arrival::duplicate || !messages.measured) return;
  ++run.counted.duplicates;
  run.counted.replicated += flow.arrived.replicated() - replicated;
}

const StreamFigures::Run* StreamFigures::find(const PeerKey& key) const {
  const auto its =
      std::find_if(runs_.begin(), runs_.end(), [&](const auto& r) { return r->key == key; });
  return its == runs_.end() ? nullptr : its->get();
}

std::optional<ArrivalQuality> StreamFigures::of(const Address& peer, std::uint32_t session) const {
  const Run* run = find(key_of_run(peer, session));
  if (run == nullptr) return std::nullopt;
  VariationFigures variation = run->variation;
  for (const auto& flow : run->flows) {
    if (flow->variation.differences() < VariationTracker::kSettled) continue;
    variation.jitters_ns += *flow->variation.jitter_ns();
    ++variation.flows;
  }
  ArrivalQuality quality = arrival_quality(run->reordering, variation);
  quality.arrived = run->counted.arrived;
  quality.duplicates = run->counted.duplicates;
  quality.replicated = run->counted.replicated;
  quality.pdv_p50_ns = figure_of(run->delays.at(kP50));
  quality.pdv_p99_ns = figure_of(run->delays.at(kP99));
  quality.pdv_p99_9_ns = figure_of(run->delays.at(kP99_9));
  return quality;
}

}  // namespace volley
