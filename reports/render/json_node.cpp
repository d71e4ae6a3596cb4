// Refusals with a place and a reason; limits that a file cannot talk us out of.
#include "reports/render/json_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "reports/measure/ensure.hpp"
#include "reports/measure/histogram.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

using Json = JsonNode::Json;

constexpr std::size_t kMostBytes = std::size_t{256} << 20U;
constexpr int kMostLevels = 64;
constexpr std::size_t kMostMembers = 4'096;
constexpr std::size_t kMostValues = 8'000'000;

[[noreturn]] void refuse_text(const std::string& what) {
  throw RunError("bad_report", "report", what);
}

// The value as an error shows it: short, and nothing a terminal would obey.
std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  constexpr std::size_t most = 40;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > most) text = text.substr(0, most) + "...";
  return printable(text);
}

// What the parser tells while it reads, checked before it stores anything.
class Limits {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMostLevels) refuse_text(fmt::format("deeper than {} levels", kMostLevels));
      if (event == Event::object_start) keys_.emplace_back();
    }
    if (event == Event::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Event::key) add_key(parsed.get_ref<const std::string&>());
    if (event != Event::object_end && event != Event::array_end && ++values_ > kMostValues)
      refuse_text(fmt::format("more than {} values", kMostValues));
    return true;
  }

 private:
  void add_key(const std::string& key) {
    if (!keys_.back().insert(key).second)
      refuse_text(
          fmt::format("the key \"{}\" stands twice in one object", printable(key.substr(0, 80))));
    if (keys_.back().size() > kMostMembers)
      refuse_text(fmt::format("an object with more than {} members", kMostMembers));
  }

  std::vector<std::set<std::string>> keys_;
  std::size_t values_ = 0;
};

}  // namespace

std::string JsonNode::pointer() const {
  if (parent_ == nullptr) return {};
  std::string escaped;
  for (const char c : key_) {
    if (c == '~')
      escaped += "~0";
    else if (c == '/')
      escaped += "~1";
    else
      escaped += c;
  }
  return parent_->pointer() + "/" + escaped;
}

void JsonNode::refuse(std::string_view what, std::string_view allowed) const {
  const std::string place = pointer();
  refuse_text(fmt::format("{}: {} ({}) [{}]; take a report that volley wrote",
                          place.empty() ? "report" : printable(place), what, shown(value_),
                          allowed));
}

std::string JsonNode::text() const {
  if (!value_.is_string()) refuse("not a text", "a string");
  return value_.get_ref<const std::string&>();
}

bool JsonNode::flag() const {
  if (!value_.is_boolean()) refuse("not a truth value", "true or false");
  return value_.get<bool>();
}

std::uint64_t JsonNode::count(std::uint64_t most) const {
  // The parser keeps every whole number without a sign as unsigned; one above 2^64 is a double.
  if (!value_.is_number_unsigned() || value_.get<std::uint64_t>() > most)
    refuse("not a whole number in range", fmt::format("0 to {}", most));
  return value_.get<std::uint64_t>();
}

double JsonNode::number() const {
  if (!value_.is_number()) refuse("not a number", "0 or more");
  const auto value = value_.get<double>();
  if (!std::isfinite(value) || value < 0.0) refuse("number out of range", "0 or more");
  return value;
}

std::int64_t JsonNode::nanos() const {
  return static_cast<std::int64_t>(count(static_cast<std::uint64_t>(Histogram::kHighest)));
}

std::int64_t JsonNode::signed_nanos() const {
  constexpr std::int64_t most = 4'000'000'000'000'000'000;
  const bool whole = value_.is_number_integer();
  const bool fits =
      whole && (value_.is_number_unsigned() ? value_.get<std::uint64_t>() <= std::uint64_t{most}
                                            : value_.get<std::int64_t>() >= -most);
  if (!fits) refuse("not a whole number in range", "-4e18 to 4e18");
  return value_.get<std::int64_t>();
}

std::optional<std::uint64_t> JsonNode::count_or_null() const {
  return is_null() ? std::nullopt : std::optional(count());
}

std::optional<double> JsonNode::number_or_null() const {
  return is_null() ? std::nullopt : std::optional(number());
}

std::optional<std::int64_t> JsonNode::nanos_or_null() const {
  return is_null() ? std::nullopt : std::optional(nanos());
}

void JsonNode::require_null() const {
  if (!is_null()) refuse("not known to this version", "null");
}

void JsonNode::require_object() const {
  if (!value_.is_object()) refuse("not an object", "an object");
}

void JsonNode::require_array() const {
  if (!value_.is_array()) refuse("not an array", "an array");
}

JsonNode JsonObject::at(const char* key) {
  const auto found = node_.value_.find(key);
  if (found == node_.value_.end()) node_.refuse(fmt::format("no key \"{}\"", key), "every key");
  asked_.emplace_back(key);
  return {*found, node_, key};
}

std::optional<JsonNode> JsonObject::find(const char* key) {
  if (!node_.value_.contains(key)) return std::nullopt;
  return at(key);
}

void JsonObject::finish(bool later_version) const {
  if (later_version || asked_.size() == node_.value_.size()) return;
  for (const auto& [key, value] : node_.value_.items())
    if (std::find(asked_.begin(), asked_.end(), key) == asked_.end())
      JsonNode(value, node_, key).refuse("unknown key", "the keys of the schema");
}

Json parse_limited_json(std::string_view text) {
  if (text.size() > kMostBytes)
    refuse_text(fmt::format("too large ({} bytes) [at most 256 MiB]", text.size()));
  try {
    return Json::parse(text, Limits());
  } catch (const Json::exception& e) {
    // Its text quotes the input.
    refuse_text(fmt::format("not JSON: {}; take a report that volley wrote", printable(e.what())));
  }
}

}  // namespace volley
