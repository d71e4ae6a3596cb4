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

// The run of this key, made from nothing when it is new; the oldest makes room.
StreamFigures::Run& StreamFigures::run_of(const PeerKey& key) {
  auto its = std::find_if(runs_.begin(), runs_.end(), [&](const auto& r) { return r->key == key; });
  if (its != runs_.end()) return **its;
  if (runs_.size() < kMostRuns) {
    its = runs_.insert(its, nullptr);
  } else {
    its = std::min_element(runs_.begin(), runs_.end(),
                           [](const auto& a, const auto& b) { return a->issue < b->issue; });
    for (Flow* flow : (*its)->flows) leave(*flow);
  }
  *its = std::make_unique<Run>();
  (*its)->key = key;
  (*its)->issue = ++issues_;
  return **its;
}

void StreamFigures::admit(Flow& flow, const Address& peer, std::uint32_t session) {
  Run& run = run_of(key_of_run(peer, session));
  if (run.flows.size() == kMostFlows) {
    leave(flow);
    return;
  }
  run.flows.push_back(&flow);
  flow.run = &run;
}

// From here on only its numbers are kept.
void StreamFigures::leave(Flow& flow) {
  flow.run = nullptr;
  flow.arrived.keep_numbers_only();
  flow.variation = {};
}

void StreamFigures::forget(Flow& flow) {
  if (flow.run == nullptr) return;
  add_jitter(flow, flow.run->variation);
  auto& flows = flow.run->flows;
  flows.erase(std::find(flows.begin(), flows.end(), &flow));
  flow.run = nullptr;
}

SequenceTracker::Arrival StreamFigures::arrive(Flow& flow, const Messages& messages,
                                               MonoTime received) {
  using Arrival = SequenceTracker::Arrival;
  const Messages first{
      .first = messages.first, .n = 1, .measured = messages.measured, .sent = messages.sent};
  if (arrive_in_order(flow, first, received)) return Arrival::in_order;
  if (flow.run == nullptr) return flow.arrived.arrive(first.first, received, nullptr);
  Run& run = *flow.run;
  const Trip trip = trip_of(run, first.sent, received);
  const std::uint64_t replicated = flow.arrived.replicated();
  const Arrival arrival =
      flow.arrived.arrive(first.first, received, first.measured ? &run.reordering : nullptr);
  if (arrival == Arrival::in_order || arrival == Arrival::reordered)
    note_first_copies(flow, first, trip);
  if (arrival == Arrival::duplicate && first.measured) {
    ++run.duplicates;
    run.replicated += flow.arrived.replicated() - replicated;
  }
  return arrival;
}

void StreamFigures::add_jitter(const Flow& flow, VariationFigures& to) {
  if (flow.variation.differences() < VariationTracker::kSettled) return;
  to.jitters_ns += *flow.variation.jitter_ns();
  ++to.flows;
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
  for (const Flow* flow : run->flows) add_jitter(*flow, variation);
  ArrivalQuality quality = arrival_quality(run->reordering, variation);
  quality.arrived = run->delays.count();
  quality.duplicates = run->duplicates;
  quality.replicated = run->replicated;
  quality.pdv_p50_ns = figure_of(run->delays.at(kP50));
  quality.pdv_p99_ns = figure_of(run->delays.at(kP99));
  quality.pdv_p99_9_ns = figure_of(run->delays.at(kP99_9));
  return quality;
}

}  // namespace volley
