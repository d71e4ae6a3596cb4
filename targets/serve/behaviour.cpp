#include "targets/serve/behaviour.hpp"

#include <cmath>

namespace volley {
namespace {

// Each kind of decision draws from a sequence of its own, so that a dropped request says nothing
// about which answers are doubled.
enum class Purpose : std::uint64_t { drop = 1, duplicate = 2, reorder = 3, service = 4 };

// Stirs 64 bits so that every input bit reaches every output bit (the finalizer of SplitMix64:
// Steele, Lea and Flood, OOPSLA 2014).
std::uint64_t stir(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

// A number in [0, 1) that depends on nothing but its arguments.
double draw(std::uint64_t seed, RequestNumber request, Purpose purpose) {
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
  std::uint64_t z = stir(seed + kStep);
  z = stir(z ^ (static_cast<std::uint64_t>(purpose) * kStep));
  z = stir(z + (request.flow + 1) * kStep);
  z = stir(z + (request.n + 1) * kStep);
  return static_cast<double>(z >> 11U) * 0x1p-53;
}

}  // namespace

bool Behaviour::drops(RequestNumber request, std::uint64_t count) const {
  const DropRule& rule = options_.drop;
  switch (rule.kind) {
    case DropRule::Kind::none:
      return false;
    case DropRule::Kind::ratio:
      return draw(options_.seed, request, Purpose::drop) < rule.ratio;
    case DropRule::Kind::every:
      return rule.n != 0 && count % rule.n == 0;
    case DropRule::Kind::after:
      return count > rule.n;
  }
  return false;
}

bool Behaviour::duplicates(RequestNumber request) const {
  return options_.duplicate_ratio > 0 &&
         draw(options_.seed, request, Purpose::duplicate) < options_.duplicate_ratio;
}

bool Behaviour::reorders(RequestNumber request) const {
  return options_.reorder_ratio > 0 &&
         draw(options_.seed, request, Purpose::reorder) < options_.reorder_ratio;
}

Nanos Behaviour::service_time(RequestNumber request) const {
  switch (options_.service.kind) {
    case ServiceTime::Kind::none:
      return Nanos{0};
    case ServiceTime::Kind::fixed:
      return options_.service.mean;
    case ServiceTime::Kind::exponential:
      break;
  }
  // 1 - u lies in (0, 1], so its logarithm is finite: at most 36.7 means.
  const double u = draw(options_.seed, request, Purpose::service);
  const double ns = -std::log(1.0 - u) * static_cast<double>(options_.service.mean.count());
  return Nanos{static_cast<std::int64_t>(ns)};
}

bool Behaviour::shapes_udp() const {
  return defers() || options_.drop.kind != DropRule::Kind::none || options_.duplicate_ratio > 0 ||
         options_.reorder_ratio > 0;
}

bool Behaviour::defers() const {
  return options_.delay > Nanos{0} || options_.service.kind != ServiceTime::Kind::none;
}

}  // namespace volley
