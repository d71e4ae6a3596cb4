#include "reports/measure/delay_places.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace volley {
namespace {

constexpr std::array<std::string_view, kDelayPlaces> kNames{
    "send_lag",       "generator_kernel", "forward",          "target_queue",
    "target_service", "backward",         "generator_wake_up"};
constexpr std::array<double, 3> kPercentiles{0.5, 0.99, 0.999};
constexpr double kLeastBeyond = 10;

using Places = std::array<std::optional<Nanos>, kDelayPlaces>;

struct Split {
  Nanos response;
  Places places;
};

bool is_complete(const StampedRequest& r) {
  return r.kernel_sent && r.kernel_received && r.target_kernel_received;
}

// The four times that two clocks are compared by: the nearest to the wire that are known.
struct Ways {
  MonoTime left, arrived, answered, returned;
  [[nodiscard]] Nanos round_trip() const { return (returned - left) - (answered - arrived); }
  // What the target's clock is ahead, if both ways take as long.
  [[nodiscard]] Nanos offset() const { return ((arrived - left) + (answered - returned)) / 2; }
};
Ways ways_of(const StampedRequest& r) {
  return {r.kernel_sent.value_or(r.sent), r.target_kernel_received.value_or(r.target_received),
          r.target_sent, r.kernel_received.value_or(r.received)};
}

StampedRequest without_kernel_times(StampedRequest r) {
  r.kernel_sent.reset();
  r.kernel_received.reset();
  r.target_kernel_received.reset();
  return r;
}

// By the generator's clock, when the target's is `ahead`.
StampedRequest by_one_clock(StampedRequest r, Nanos ahead) {
  if (r.target_kernel_received) *r.target_kernel_received -= ahead;
  r.target_received -= ahead;
  r.target_sent -= ahead;
  return r;
}

Split split(const StampedRequest& r) {
  const Ways ways = ways_of(r);
  Split s{.response = r.received - r.intended, .places = {}};
  const auto set = [&](DelayPlace place, Nanos time) {
    s.places[static_cast<std::size_t>(place)] = time;
  };
  set(DelayPlace::send_lag, r.sent - r.intended);
  if (r.kernel_sent) set(DelayPlace::generator_kernel, *r.kernel_sent - r.sent);
  set(DelayPlace::forward, ways.arrived - ways.left);
  if (r.target_kernel_received)
    set(DelayPlace::target_queue, r.target_received - *r.target_kernel_received);
  set(DelayPlace::target_service, r.target_sent - r.target_received);
  set(DelayPlace::backward, ways.returned - ways.answered);
  if (r.kernel_received) set(DelayPlace::generator_wake_up, r.received - *r.kernel_received);
  return s;
}

// Sorts `values`, of which there is at least one.
DelaySpread spread_of(std::vector<Nanos>& values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const auto at = [&](double p) {
    const double rank = std::ceil(p * n);
    return values[static_cast<std::size_t>(std::clamp(rank, 1.0, n)) - 1];
  };
  return {values.front(), at(0.5), at(0.99), values.back()};
}

// The samples next in rank to a percentile, by half of what lies beyond it to each side, at most
// half a percent of all, at least five.
DelayAt at_percentile(std::span<const Split> by_response, double p) {
  const auto n = static_cast<double>(by_response.size());
  const double half = std::max(5.0, std::min((1 - p) / 2, 0.005) * n);
  const double centre = std::ceil(p * n) - 1;
  const auto first = static_cast<std::size_t>(std::max(0.0, centre - half));
  const auto last = static_cast<std::size_t>(std::min(n - 1, centre + half));
  const auto near = by_response.subspan(first, last - first + 1);
  DelayAt at{.percentile = p, .samples = near.size()};
  const auto count = static_cast<std::int64_t>(near.size());
  Nanos total{0};
  for (std::size_t place = 0; place < kDelayPlaces; ++place) {
    if (!near.front().places[place]) continue;
    Nanos sum{0};
    for (const Split& s : near) sum += *s.places[place];
    at.places[place] = sum / count;
    total += *at.places[place];
  }
  at.response = total;  // the mean response but for the rounding of the places
  return at;
}

// The clock of the target: whether it is ours, and what it is ahead.
void compare_clocks(std::span<const StampedRequest> samples, Nanos conversion,
                    DelayByPlace& found) {
  const auto quickest =
      std::min_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) {
        return ways_of(a).round_trip() < ways_of(b).round_trip();
      });
  const Ways ways = ways_of(*quickest);
  const Nanos bound = std::max(Nanos(0), ways.round_trip() / 2) + conversion;
  const Nanos offset = ways.offset();
  found.same_clock = std::abs(offset.count()) <= bound.count();
  found.clock_offset = found.same_clock ? Nanos(0) : offset;
  found.clock_error = found.same_clock ? conversion : bound;
}

// By how much a sample goes back in time, at the worst of its steps.
Nanos violation_of(const Split& s) {
  Nanos worst{0};
  for (const auto& place : s.places)
    if (place) worst = std::max(worst, -*place);
  return worst;
}

// What the generator's readings lie outside of its kernel's stamps.
std::vector<Nanos> outside_of(std::span<const StampedRequest> samples) {
  std::vector<Nanos> outside;
  for (const StampedRequest& r : samples)
    outside.push_back((*r.kernel_sent - r.sent) + (r.received - *r.kernel_received));
  return outside;
}

}  // namespace

std::string_view to_string(DelayPlace place) { return kNames[static_cast<std::size_t>(place)]; }

DelayByPlace delays_by_place(std::span<const StampedRequest> samples, const StampingNotes& notes) {
  DelayByPlace found;
  found.asked = notes.asked;
  found.samples = samples.size();
  found.clock_stepped = notes.clock_stepped;
  std::vector<StampedRequest> used;
  if (!notes.clock_stepped)
    std::copy_if(samples.begin(), samples.end(), std::back_inserter(used), is_complete);
  found.complete = used.size();
  found.kernel_times = found.complete > 0;
  if (!found.kernel_times)
    std::transform(samples.begin(), samples.end(), std::back_inserter(used), without_kernel_times);
  if (used.empty()) return found;

  const Nanos conversion = found.kernel_times ? notes.conversion_error : Nanos(0);
  compare_clocks(used, conversion, found);
  std::vector<Split> splits;
  std::array<std::vector<Nanos>, kDelayPlaces> by_place;
  for (StampedRequest& r : used) {
    r = by_one_clock(r, found.clock_offset);
    splits.push_back(split(r));
    const Nanos violation = violation_of(splits.back());
    if (violation > found.clock_error) ++found.order_violations;
    found.worst_violation = std::max(found.worst_violation, violation);
    for (std::size_t i = 0; i < kDelayPlaces; ++i)
      if (const auto& time = splits.back().places[i]) by_place[i].push_back(*time);
  }
  for (std::size_t i = 0; i < kDelayPlaces; ++i)
    if (!by_place[i].empty()) found.places[i] = spread_of(by_place[i]);
  found.one_way_forward = found.places[static_cast<std::size_t>(DelayPlace::forward)];
  found.one_way_backward = found.places[static_cast<std::size_t>(DelayPlace::backward)];
  std::sort(splits.begin(), splits.end(),
            [](const Split& a, const Split& b) { return a.response < b.response; });
  for (const double p : kPercentiles)
    if (static_cast<double>(splits.size()) * (1 - p) >= kLeastBeyond - 1e-6)
      found.waterfall.push_back(at_percentile(splits, p));
  if (found.kernel_times) found.calibration = calibrate(outside_of(used), conversion);
  return found;
}

}  // namespace volley
