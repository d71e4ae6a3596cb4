#include "reports/render/json_loss.hpp"

#include <limits>

namespace volley {
namespace {

using Json = JsonNode::Json;

bool is_forward(std::size_t site) { return site < kForwardSites; }

Json way_json(const LossPlaces& places, bool forward) {
  Json way = Json::object();
  for (std::size_t i = 0; i < kLossSites; ++i) {
    if (is_forward(i) != forward) continue;
    const auto& count = places.sites[i];
    way[name_of(static_cast<LossSite>(i)).key] = count ? Json(*count) : Json(nullptr);
  }
  return way;
}

void read_way(LossPlaces& places, const JsonNode& node, bool forward, bool later) {
  JsonObject o(node);
  for (std::size_t i = 0; i < kLossSites; ++i)
    if (is_forward(i) == forward)
      places.sites[i] = o.at(name_of(static_cast<LossSite>(i)).key).count_or_null();
  o.finish(later);
}

void read_target_of(LossPlaces& places, const JsonNode& node, bool later) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  JsonObject o(node);
  places.target_heard = o.at("heard").flag();
  places.other_traffic = o.at("other_traffic").flag();
  places.target_heard_places = static_cast<std::uint32_t>(o.at("sockets_heard").count(kMost));
  places.target_places = static_cast<std::uint32_t>(o.at("sockets").count(kMost));
  if (const JsonNode reasons = o.at("unanswered"); !reasons.is_null()) {
    JsonObject why(reasons);
    places.unanswered = Unanswered{.dropped = why.at("dropped").count(),
                                   .discarded = why.at("discarded").count(),
                                   .ignored = why.at("ignored").count()};
    why.finish(later);
  }
  o.finish(later);
}

Json unanswered_json(const std::optional<Unanswered>& unanswered) {
  if (!unanswered) return nullptr;
  return {{"dropped", unanswered->dropped},
          {"discarded", unanswered->discarded},
          {"ignored", unanswered->ignored}};
}

}  // namespace

Json loss_json(const std::optional<LossPlaces>& places) {
  if (!places) return nullptr;
  return {{"sent", places->sent},
          {"unsent", places->unsent},
          {"answered", places->answered},
          {"lost", places->lost},
          {"late", places->late},
          {"forward", way_json(*places, true)},
          {"backward", way_json(*places, false)},
          {"unattributed", places->unattributed},
          {"in_super_packets", places->in_super_packets},
          {"bounded", places->bounded},
          {"target",
           {{"heard", places->target_heard},
            {"other_traffic", places->other_traffic},
            {"sockets_heard", places->target_heard_places},
            {"sockets", places->target_places},
            {"unanswered", unanswered_json(places->unanswered)}}}};
}

std::optional<LossPlaces> read_loss(const JsonNode& node, bool later) {
  if (node.is_null()) return std::nullopt;
  JsonObject o(node);
  LossPlaces places;
  places.sent = o.at("sent").count();
  places.unsent = o.at("unsent").count();
  places.answered = o.at("answered").count();
  places.lost = o.at("lost").count();
  places.late = o.at("late").count();
  read_way(places, o.at("forward"), true, later);
  read_way(places, o.at("backward"), false, later);
  places.unattributed = o.at("unattributed").count();
  places.in_super_packets = o.at("in_super_packets").flag();
  places.bounded = o.at("bounded").flag();
  read_target_of(places, o.at("target"), later);
  o.finish(later);
  return places;
}

}  // namespace volley
