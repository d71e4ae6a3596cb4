// Reading JSON that somebody else may have written. Every access says what it wants, and a refusal
// names the place by its JSON pointer. Only the readers of this folder include this header, because
// it brings nlohmann/json along.
//
// The library's own get<>() turns -1 into 2^64 - 1 and 3.9 into 3 without a word, so it is asked
// only after the type was looked at.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace volley {

// A value and the way to it. Lives on the stack of the function that reads its parent.
class JsonNode {
 public:
  using Json = nlohmann::ordered_json;

  explicit JsonNode(const Json& value) : value_(value) {}
  JsonNode(const Json& value, const JsonNode& parent, std::string key)
      : value_(value), parent_(&parent), key_(std::move(key)) {}

  [[nodiscard]] std::string pointer() const;
  // Throws RunError{"bad_report", "report"}: "/runs/0/name: what (value) [allowed]; what to do".
  [[noreturn]] void refuse(std::string_view what, std::string_view allowed) const;

  [[nodiscard]] bool is_null() const { return value_.is_null(); }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool flag() const;
  // A whole number from 0 to `most`.
  [[nodiscard]] std::uint64_t count(std::uint64_t most = UINT64_MAX) const;
  // A number from 0 on; never infinite.
  [[nodiscard]] double number() const;
  // A duration in whole nanoseconds from 0 to 1 h.
  [[nodiscard]] std::int64_t nanos() const;
  // A time in whole nanoseconds, which may be below 0; at most 4e18 either way.
  [[nodiscard]] std::int64_t signed_nanos() const;
  [[nodiscard]] std::optional<std::uint64_t> count_or_null() const;
  [[nodiscard]] std::optional<double> number_or_null() const;
  [[nodiscard]] std::optional<std::int64_t> nanos_or_null() const;

  void require_null() const;
  void require_object() const;
  // Calls `each` with a node for every element of an array.
  template <typename Each>
  void elements(Each each) const {
    require_array();
    for (std::size_t i = 0; i < value_.size(); ++i)
      each(JsonNode(value_[i], *this, std::to_string(i)));
  }
  // Calls `each` with the key and a node for every member of an object used as a map.
  template <typename Each>
  void members(Each each) const {
    require_object();
    for (const auto& [key, value] : value_.items()) each(key, JsonNode(value, *this, key));
  }

 private:
  friend class JsonObject;
  void require_array() const;

  const Json& value_;
  const JsonNode* parent_ = nullptr;
  std::string key_;
};

// An object with known keys. Every key that was asked for must be there; finish() refuses others.
class JsonObject {
 public:
  explicit JsonObject(const JsonNode& node) : node_(node) { node.require_object(); }
  // The member of that name; refused when there is none.
  [[nodiscard]] JsonNode at(const char* key);
  // The member of that name, when there is one: for keys that came later.
  [[nodiscard]] std::optional<JsonNode> find(const char* key);
  // Refuses members nobody asked for, unless the file is of a later minor version.
  void finish(bool later_version) const;

 private:
  const JsonNode& node_;
  std::vector<std::string_view> asked_;
};

// Text -> JSON with limits: no repeated keys, at most 64 levels, 4,096 members an object and
// 8 million values, so that neither time nor memory grows beyond the size of the text. Throws
// RunError{"bad_report", "report"}.
[[nodiscard]] JsonNode::Json parse_limited_json(std::string_view text);

}  // namespace volley
