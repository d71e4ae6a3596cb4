// What the generators were told and what they had: what must agree, and what may differ.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "reports/judge/merge_pieces.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

// How much, how long and by which means. `arrival` is here for the file of a trace; its kind is a
// key of the run, which must agree.
constexpr std::array<std::string_view, 24> kMayDiffer{"rate",
                                                      "arrival",
                                                      "flows",
                                                      "depth",
                                                      "probes",
                                                      "threads",
                                                      "pin",
                                                      "stamps",
                                                      "wait",
                                                      "batch",
                                                      "offload",
                                                      "duration",
                                                      "warm_up",
                                                      "requests",
                                                      "seed",
                                                      "interval",
                                                      "family",
                                                      "rcvbuf",
                                                      "sndbuf",
                                                      "source",
                                                      "peer",
                                                      "pacing_rate",
                                                      "congestion_in_use",
                                                      "bottleneck"};
// Of these the union has as many as all parts together.
constexpr std::array<std::string_view, 3> kAddUp{"flows", "threads", "probes"};
constexpr std::string_view kBetween = " | ";

template <std::size_t N>
bool is_of(const std::array<std::string_view, N>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

const std::string* value_of(const TextPairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs)
    if (name == key) return &value;
  return nullptr;
}

// Short enough for a line: it may come from anybody's file.
std::string shown(const std::string* value) {
  constexpr std::size_t most = 60;
  if (value == nullptr) return "none";
  return value->size() > most ? value->substr(0, most) + "..." : *value;
}

std::string told(std::string_view key, const std::string* a, const std::string* b) {
  return fmt::format("{} ({}) [{}]", key, shown(b), shown(a));
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<std::string> sum_of_numbers(const std::vector<std::string>& values) {
  std::uint64_t sum = 0;
  for (const std::string& value : values) {
    const auto number = whole_number(value);
    if (!number) return std::nullopt;
    add(sum, *number);
  }
  return std::to_string(sum);
}

std::optional<std::string> sum_of_rates(const std::vector<std::string>& values) {
  Rate sum;
  try {
    for (const std::string& value : values)
      add(sum.micro_per_s, parse_rate("rate", value).micro_per_s);
  } catch (const UsageError&) {  // none, or not one of ours
    return std::nullopt;
  }
  return format_rate_exact(sum);
}

std::string merge_value(RunParts parts, const std::string& key,
                        const std::vector<std::string>& values) {
  if (key == "rate")
    if (auto sum = sum_of_rates(values)) return *sum;
  if (is_of(kAddUp, key))
    if (auto sum = sum_of_numbers(values)) return *sum;
  if (std::all_of(values.begin(), values.end(), [&](const auto& v) { return v == values[0]; }))
    return values[0];
  return listed(parts, values);
}

}  // namespace

std::string listed(RunParts parts, std::span<const std::string> texts) {
  std::vector<std::string> all;
  std::set<std::string> seen;
  const auto take = [&](std::string_view text) {
    if (seen.emplace(text).second) all.emplace_back(text);
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string_view rest = texts[i];
    while (parts[i].merged) {
      const std::size_t at = rest.find(kBetween);
      if (at == std::string_view::npos) break;
      take(rest.substr(0, at));
      rest.remove_prefix(at + kBetween.size());
    }
    take(rest);
  }
  return fmt::format("{}", fmt::join(all, kBetween));
}

std::string other_requests(const RunReport& a, const RunReport& b) {
  for (const auto& [key, member] :
       std::initializer_list<std::pair<const char*, std::string RunReport::*>>{
           {"endpoint", &RunReport::endpoint}, {"arrival", &RunReport::arrival}})
    if (a.*member != b.*member) return told(key, &(a.*member), &(b.*member));
  for (const TextPairs* config : {&a.config, &b.config})
    for (const auto& [key, value] : *config) {
      if (is_of(kMayDiffer, key)) continue;
      const std::string* first = value_of(a.config, key);
      const std::string* second = value_of(b.config, key);
      if (first == nullptr || second == nullptr || *first != *second)
        return told(key, first, second);
    }
  return {};
}

TextPairs merge_config(RunParts parts) {
  TextPairs config;
  for (const auto& [key, value] : parts.front().run->config) {
    std::vector<std::string> values;
    values.reserve(parts.size());
    for (const RunPart& part : parts) {
      const std::string* own = value_of(part.run->config, key);
      values.push_back(own == nullptr ? "-" : *own);
    }
    config.emplace_back(key, merge_value(parts, key, values));
  }
  return config;
}

std::vector<Condition> merge_conditions(RunParts parts) {
  std::vector<Condition> conditions = parts.front().run->conditions;
  for (const RunPart& part : parts)
    if (part.run->conditions.size() != conditions.size()) return {};
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto merged = [&](std::optional<std::string> Condition::*member) {
      std::vector<std::string> texts;
      texts.reserve(parts.size());
      bool any = false;
      for (const RunPart& part : parts) {
        const auto& text = part.run->conditions[i].*member;
        any = any || text;
        texts.push_back(text.value_or("-"));
      }
      return any ? std::optional(listed(parts, texts)) : std::nullopt;
    };
    conditions[i].asked = merged(&Condition::asked);
    conditions[i].effective = merged(&Condition::effective);
  }
  return conditions;
}

}  // namespace volley
