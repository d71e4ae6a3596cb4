// One run of the union: counts summed, ends taken, what is no sum of the parts left out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reports/judge/merge_pieces.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

RequestFigures merge_requests(RunParts parts) {
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return run.requests.*member; });
  };
  using R = RequestFigures;
  R r;
  r.planned = sum(&R::planned);
  r.unsent = sum(&R::unsent);
  r.skipped = sum(&R::skipped);
  r.sent = sum(&R::sent);
  r.completed = sum(&R::completed);
  r.lost = sum(&R::lost);
  r.late = sum(&R::late);
  r.errors = sum(&R::errors);
  r.in_flight = sum(&R::in_flight);
  r.duplicates = sum(&R::duplicates);
  r.reordered = sum(&R::reordered);
  r.held_back = sum(&R::held_back);
  if (r.lost && r.sent > 0)
    r.loss_ratio = static_cast<double>(*r.lost) / static_cast<double>(r.sent);
  return r;
}

LoadFigures merge_loads(RunParts parts) {
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return run.load.*member; });
  };
  return {sum(&LoadFigures::intended_per_s), sum(&LoadFigures::offered_per_s),
          sum(&LoadFigures::achieved_per_s)};
}

std::vector<SocketEventFigures> merge_events(RunParts parts) {
  std::vector<SocketEventFigures> all;
  for (const RunPart& part : parts)
    for (const SocketEventFigures& event : part.run->socket_events) {
      const auto same = std::find_if(all.begin(), all.end(), [&](const SocketEventFigures& e) {
        return e.kind == event.kind;
      });
      if (same == all.end()) {
        all.push_back(event);
        continue;
      }
      add(same->count, event.count);
      same->first_s = std::min(same->first_s, event.first_s);
      same->last_s = std::max(same->last_s, event.last_s);
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const SocketEventFigures& a, const SocketEventFigures& b) {
                     return error_kind_from(a.kind) < error_kind_from(b.kind);
                   });
  return all;
}

GeneratorSide merge_generators(RunParts parts) {
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return run.generator.*member; });
  };
  using G = GeneratorSide;
  G g;
  g.threads = sum(&G::threads);
  g.cpu_user_s = sum(&G::cpu_user_s);
  g.cpu_system_s = sum(&G::cpu_system_s);
  g.context_switches = sum(&G::context_switches);
  g.send_calls = sum(&G::send_calls);
  g.receive_calls = sum(&G::receive_calls);
  std::vector<std::string> waits;
  waits.reserve(parts.size());
  for (const RunPart& part : parts) {
    g.wall_s = std::max(g.wall_s, part.run->generator.wall_s);
    waits.push_back(part.run->generator.wait);
    for (const std::string& warning : part.run->generator.warnings)
      g.warnings.push_back(told_by(part, warning));
  }
  g.wait = listed(parts, waits);
  return g;
}

std::optional<TargetSide> merge_targets(RunParts parts) {
  for (const RunPart& part : parts)
    if (!part.run->target_side) return std::nullopt;
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return (*run.target_side).*member; });
  };
  using T = TargetSide;
  return T{sum(&T::received_messages), sum(&T::received_bytes), sum(&T::duplicates),
           sum(&T::reordered), sum(&T::cpu_s)};
}

// Of one connection, of all: each part's mean counts by its connections.
std::optional<double> mean_bytes(RunParts parts, std::optional<double> ConnectionMemory::*member) {
  double bytes = 0;
  double opened = 0;
  for (const RunPart& part : parts) {
    const HoldFigures& hold = *part.run->hold;
    if (hold.opened == 0) continue;
    if (!(hold.memory.*member)) return std::nullopt;
    const auto connections = static_cast<double>(hold.opened);
    add(bytes, *(hold.memory.*member) * connections);
    add(opened, connections);
  }
  return opened > 0 ? std::optional(bytes / opened) : std::nullopt;
}

std::optional<HoldFigures> merge_holds(RunParts parts) {
  for (const RunPart& part : parts)
    if (!part.run->hold) return std::nullopt;
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return (*run.hold).*member; });
  };
  using H = HoldFigures;
  H hold;
  hold.connections_wanted = sum(&H::connections_wanted);
  hold.opened = sum(&H::opened);
  hold.failed = sum(&H::failed);
  hold.opened_per_s = sum(&H::opened_per_s);
  hold.held_at_end = sum(&H::held_at_end);
  hold.died = sum(&H::died);
  hold.probed = sum(&H::probed);
  for (const RunPart& part : parts)
    hold.open_duration_s = std::max(hold.open_duration_s, part.run->hold->open_duration_s);
  hold.memory = {mean_bytes(parts, &ConnectionMemory::generator_bytes),
                 mean_bytes(parts, &ConnectionMemory::target_bytes),
                 mean_bytes(parts, &ConnectionMemory::kernel_bytes)};
  return hold;
}

// A place that one part cannot see is none of the union, and what the others lost there has no
// place: so lost = late + all places + unattributed holds on. Why the target gave no answers it
// says of everybody's requests, to each part again: that is no sum.
std::optional<LossPlaces> merge_losses(RunParts parts) {
  for (const RunPart& part : parts)
    if (!part.run->loss_places) return std::nullopt;
  LossPlaces all = *parts.front().run->loss_places;
  all.unanswered.reset();
  for (const RunPart& part : parts.subspan(1)) {
    const LossPlaces& one = *part.run->loss_places;
    for (auto member : {&LossPlaces::sent, &LossPlaces::unsent, &LossPlaces::answered,
                        &LossPlaces::lost, &LossPlaces::late, &LossPlaces::unattributed})
      add(all.*member, one.*member);
    for (std::size_t i = 0; i < kLossSites; ++i) {
      const auto seen = all.sites[i] ? all.sites[i] : one.sites[i];
      const bool both = all.sites[i] && one.sites[i];
      add(all.sites[i], one.sites[i]);
      if (!both && seen) add(all.unattributed, *seen);
    }
    all.target_heard = all.target_heard && one.target_heard;
    all.other_traffic = all.other_traffic || one.other_traffic;
    all.bounded = all.bounded || one.bounded;
    all.in_super_packets = all.in_super_packets || one.in_super_packets;
    all.target_heard_places = std::min(all.target_heard_places, one.target_heard_places);
    all.target_places = std::max(all.target_places, one.target_places);
  }
  return all;
}

// Whether the intervals of all parts begin and end at the same times. The last one of a part ends
// when it does.
bool have_one_axis(RunParts parts) {
  const auto longest =
      std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
        return a.run->intervals.size() < b.run->intervals.size();
      });
  const std::vector<IntervalFigures>& axis = longest->run->intervals;
  for (const RunPart& part : parts) {
    const std::vector<IntervalFigures>& own = part.run->intervals;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const bool last = i + 1 == own.size();
      if (own[i].start_s != axis[i].start_s) return false;
      if (!last && own[i].end_s != axis[i].end_s) return false;
    }
  }
  return true;
}

void add_interval(IntervalFigures& sum, const IntervalFigures& one) {
  using I = IntervalFigures;
  for (auto member : {&I::sent, &I::late, &I::errors, &I::unsent, &I::duplicates, &I::reordered,
                      &I::held_back, &I::bytes_sent, &I::bytes_received})
    add(sum.*member, one.*member);
  add(sum.completed, one.completed);
  add(sum.lost, one.lost);
  sum.end_s = std::max(sum.end_s, one.end_s);
  if (one.response_max_ns)
    sum.response_max_ns = std::max(sum.response_max_ns.value_or(0), *one.response_max_ns);
}

std::vector<IntervalFigures> merge_intervals(RunParts parts) {
  std::vector<IntervalFigures> all;
  for (const RunPart& part : parts)
    for (std::size_t i = 0; i < part.run->intervals.size(); ++i) {
      const IntervalFigures& one = part.run->intervals[i];
      if (i < all.size())
        add_interval(all[i], one);
      else
        all.push_back(one);
    }
  for (IntervalFigures& interval : all) {
    interval.response_p50_ns.reset();
    interval.response_p99_ns.reset();
    interval.send_lag_p99_ns.reset();
  }
  return all;
}

}  // namespace

void refuse_sum() {
  throw RunError("unmergeable", "report",
                 "the sum of the reports: a figure is larger than a report can hold; take reports "
                 "that volley wrote");
}

void add(std::uint64_t& sum, std::uint64_t part) {
  if (part > std::numeric_limits<std::uint64_t>::max() - sum) refuse_sum();
  sum += part;
}

void add(unsigned& sum, unsigned part) {
  if (part > std::numeric_limits<unsigned>::max() - sum) refuse_sum();
  sum += part;
}

void add(double& sum, double part) {
  sum += part;
  if (!std::isfinite(sum)) refuse_sum();
}

void add(std::vector<KindCount>& sum, const std::vector<KindCount>& part) {
  for (const KindCount& kind : part) {
    const auto same = std::find_if(sum.begin(), sum.end(),
                                   [&](const KindCount& known) { return known.kind == kind.kind; });
    if (same == sum.end())
      sum.push_back(kind);
    else
      add(same->count, kind.count);
  }
  std::stable_sort(sum.begin(), sum.end(), [](const KindCount& a, const KindCount& b) {
    return error_kind_from(a.kind) < error_kind_from(b.kind);
  });
}

RunReport merge_run(RunParts parts) {
  const RunReport& first = *parts.front().run;
  const auto sum = [&](auto member) {
    return sum_of(parts, [member](const RunReport& run) { return run.*member; });
  };
  RunReport run;
  run.name = first.name;
  run.protocol = first.protocol;
  run.endpoint = first.endpoint;
  run.workload = first.workload;
  run.arrival = first.arrival;
  run.status = "ok";
  for (const RunPart& part : parts) {
    if (part.run->status == "interrupted") run.status = part.run->status;
    run.duration_s = std::max(run.duration_s, part.run->duration_s);
    run.warm_up_s = std::max(run.warm_up_s, part.run->warm_up_s);
    run.drain_s = std::max(run.drain_s, part.run->drain_s);
  }
  run.config = merge_config(parts);
  run.conditions = merge_conditions(parts);
  run.load = merge_loads(parts);
  run.requests = merge_requests(parts);
  run.bytes_sent = sum(&RunReport::bytes_sent);
  run.bytes_received = sum(&RunReport::bytes_received);
  run.goodput_bits_per_s = sum(&RunReport::goodput_bits_per_s);
  merge_latencies(run, parts);
  run.socket_events = merge_events(parts);
  run.generator = merge_generators(parts);
  merge_protocol_figures(run, parts);
  run.target_side = merge_targets(parts);
  run.hold = merge_holds(parts);
  run.loss_places = merge_losses(parts);
  if (have_one_axis(parts))
    run.intervals = merge_intervals(parts);
  else
    run.generator.warnings.emplace_back(
        "the intervals are left out: those of the parts begin or end at other times; give each "
        "generator the same --interval");
  merge_judgement(run, parts);
  return run;
}

}  // namespace volley
