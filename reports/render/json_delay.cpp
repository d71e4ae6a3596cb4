#include "reports/render/json_delay.hpp"

#include <array>

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, kDelayPlaces> kKeys{
    "send_lag_ns",       "generator_kernel_ns", "forward_ns",          "target_queue_ns",
    "target_service_ns", "backward_ns",         "generator_wake_up_ns"};

Json spread_json(const std::optional<DelaySpread>& spread) {
  if (!spread) return nullptr;
  return {{"min", spread->min.count()},
          {"p50", spread->p50.count()},
          {"p99", spread->p99.count()},
          {"max", spread->max.count()}};
}

Json waterfall_json(const std::vector<DelayAt>& waterfall) {
  Json list = Json::array();
  for (const DelayAt& at : waterfall) {
    Json places = Json::object();
    for (std::size_t i = 0; i < kDelayPlaces; ++i) {
      const auto& time = at.places[i];
      places[kKeys[i]] = time ? Json(time->count()) : Json(nullptr);
    }
    list.push_back({{"percentile", at.percentile},
                    {"samples", at.samples},
                    {"response_ns", at.response.count()},
                    {"places", std::move(places)}});
  }
  return list;
}

// Times between two stamps may be below 0, when a clock was wrong.
Nanos read_signed(const JsonNode& node) { return Nanos(node.signed_nanos()); }

std::optional<DelaySpread> read_spread(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  DelaySpread spread;
  spread.min = read_signed(o.at("min"));
  spread.p50 = read_signed(o.at("p50"));
  spread.p99 = read_signed(o.at("p99"));
  spread.max = read_signed(o.at("max"));
  o.finish(later);
  return spread;
}

DelayAt read_at(const JsonNode& node, bool later) {
  JsonObject o(node);
  DelayAt at;
  at.percentile = o.at("percentile").number();
  at.samples = o.at("samples").count();
  at.response = read_signed(o.at("response_ns"));
  const JsonNode node_of_places = o.at("places");
  JsonObject places(node_of_places);
  for (std::size_t i = 0; i < kDelayPlaces; ++i) {
    const JsonNode time = places.at(kKeys[i]);
    if (!time.is_null()) at.places[i] = read_signed(time);
  }
  places.finish(later);
  o.finish(later);
  return at;
}

}  // namespace

Json calibration_json(const std::optional<Calibration>& calibration) {
  if (!calibration) return nullptr;
  return {{"systematic_ns", calibration->systematic.count()},
          {"error_ns", calibration->error.count()}};
}

Json delay_json(const std::optional<DelayByPlace>& delay) {
  if (!delay) return nullptr;
  Json places = Json::object();
  for (std::size_t i = 0; i < kDelayPlaces; ++i) places[kKeys[i]] = spread_json(delay->places[i]);
  return {{"asked", delay->asked},
          {"samples", delay->samples},
          {"complete", delay->complete},
          {"kernel_times", delay->kernel_times},
          {"clock_stepped", delay->clock_stepped},
          {"order_violations", delay->order_violations},
          {"worst_violation_ns", delay->worst_violation.count()},
          {"calibration", calibration_json(delay->calibration)},
          {"places", std::move(places)},
          {"waterfall", waterfall_json(delay->waterfall)}};
}

Json one_way_json(const std::optional<DelayByPlace>& delay) {
  if (!delay || !delay->one_way_forward) return nullptr;
  return {{"same_clock", delay->same_clock},
          {"clock_offset_ns", delay->clock_offset.count()},
          {"error_ns", delay->clock_error.count()},
          {"forward", spread_json(delay->one_way_forward)},
          {"backward", spread_json(delay->one_way_backward)}};
}

std::optional<Calibration> read_calibration(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  Calibration calibration;
  calibration.systematic = read_signed(o.at("systematic_ns"));
  calibration.error = read_signed(o.at("error_ns"));
  o.finish(later);
  return calibration;
}

std::optional<DelayByPlace> read_delay(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  DelayByPlace delay;
  delay.asked = o.at("asked").count();
  delay.samples = o.at("samples").count();
  delay.complete = o.at("complete").count();
  delay.kernel_times = o.at("kernel_times").flag();
  delay.clock_stepped = o.at("clock_stepped").flag();
  delay.order_violations = o.at("order_violations").count();
  delay.worst_violation = read_signed(o.at("worst_violation_ns"));
  delay.calibration = read_calibration(o.at("calibration"), later);
  const JsonNode node_of_places = o.at("places");
  JsonObject places(node_of_places);
  for (std::size_t i = 0; i < kDelayPlaces; ++i)
    delay.places[i] = read_spread(places.at(kKeys[i]), later);
  places.finish(later);
  o.at("waterfall").elements([&](const JsonNode& at) {
    delay.waterfall.push_back(read_at(at, later));
  });
  o.finish(later);
  return delay;
}

void read_one_way(const JsonNode& node, std::optional<DelayByPlace>& delay, bool later) {
  if (node.is_null()) return;
  if (!delay) node.refuse("one-way delays without the stamps they come of", "null");
  JsonObject o(node);
  delay->same_clock = o.at("same_clock").flag();
  delay->clock_offset = read_signed(o.at("clock_offset_ns"));
  delay->clock_error = read_signed(o.at("error_ns"));
  delay->one_way_forward = read_spread(o.at("forward"), later);
  delay->one_way_backward = read_spread(o.at("backward"), later);
  o.finish(later);
}

}  // namespace volley
