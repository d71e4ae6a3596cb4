// One line per number. A latency has the same figures whatever its name.
#include "reports/judge/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "reports/judge/derived.hpp"

namespace volley {
namespace {

using Value = std::optional<double>;

template <typename T>
Value as_double(const std::optional<T>& value) {
  return value ? Value(static_cast<double>(*value)) : std::nullopt;
}

Value total_of(const std::vector<KindCount>& kinds) {
  double sum = 0;
  for (const KindCount& kind : kinds) sum += static_cast<double>(kind.count);
  return sum;
}

// Where nothing was sent, nothing can be said to have gone well.
Value if_sent(const RunReport& run, Value value) {
  return run.requests.sent > 0 ? value : std::nullopt;
}

struct LatencyKind {
  const char* name;
  LatencyFigures RunReport::*figures;
};
constexpr std::array kLatencies{LatencyKind{"response", &RunReport::response},
                                LatencyKind{"response_delivered", &RunReport::response_delivered},
                                LatencyKind{"service", &RunReport::service},
                                LatencyKind{"send_lag", &RunReport::send_lag},
                                LatencyKind{"connect", &RunReport::connect}};

MetricKind latency_kind(const LatencyKind& latency, std::string_view key) {
  MetricKind kind;
  kind.path = fmt::format("latency_ns.{}.{}", latency.name, key);
  kind.name = fmt::format("{}_{}", latency.name, key);
  if (latency.figures == &RunReport::response) kind.short_name = key;
  kind.unit = "ns";
  kind.better = Better::lower;
  kind.latency = latency.figures;
  return kind;
}

void add_latency(std::vector<MetricKind>& kinds, const LatencyKind& latency) {
  const auto figures = latency.figures;
  const auto add = [&](std::string_view key, auto value) {
    kinds.push_back(latency_kind(latency, key));
    kinds.back().value = std::move(value);
  };
  add("min", [figures](const RunReport& run) { return as_double((run.*figures).min); });
  add("mean", [figures](const RunReport& run) { return (run.*figures).mean; });
  add("stddev", [figures](const RunReport& run) { return (run.*figures).stddev; });
  for (const PercentileKey& key : kPercentiles) {
    add(key.key, [figures, figure = key.figure](const RunReport& run) {
      return as_double((run.*figures).*figure);
    });
    kinds.back().claim = [figures, claim = key.claim](const RunReport& run) -> const Claim* {
      const std::optional<Claims>& claims = (run.*figures).claims;
      return claims && ((*claims).*claim).holds ? &((*claims).*claim) : nullptr;
    };
  }
  add("max", [figures](const RunReport& run) { return as_double((run.*figures).max); });
  kinds.push_back({fmt::format("latency_ns.{}.count", latency.name),
                   fmt::format("{}_count", latency.name),
                   "",
                   "count",
                   Better::neither,
                   [figures](const RunReport& run) -> Value {
                     return static_cast<double>((run.*figures).count);
                   },
                   {}});
}

// The kinds of failure under "requests.errors" and "requests.unsent".
void add_kinds(std::vector<MetricKind>& kinds, const std::string& key,
               std::vector<KindCount> RequestFigures::*counts) {
  for (std::size_t i = 0; i < kErrorKinds; ++i) {
    const std::string word(to_string(static_cast<ErrorKind>(i)));
    kinds.push_back({fmt::format("requests.{}.{}", key, word),
                     fmt::format("{}_{}", key, word),
                     "",
                     "count",
                     Better::lower,
                     [counts, word](const RunReport& run) -> Value {
                       double sum = 0;
                       for (const KindCount& kind : run.requests.*counts)
                         if (kind.kind == word) sum += static_cast<double>(kind.count);
                       return if_sent(run, sum);
                     },
                     {}});
  }
}

void add_requests(std::vector<MetricKind>& kinds) {
  const auto add = [&kinds](std::string_view key, std::string_view short_name, Better better,
                            auto value) {
    kinds.push_back({fmt::format("requests.{}", key),
                     std::string(key),
                     std::string(short_name),
                     "count",
                     better,
                     std::move(value),
                     {}});
  };
  const auto number = [](std::uint64_t n) { return Value(static_cast<double>(n)); };
  add("planned", "", Better::neither,
      [](const RunReport& run) { return as_double(run.requests.planned); });
  add("unsent", "unsent", Better::lower,
      [](const RunReport& run) { return total_of(run.requests.unsent); });
  add_kinds(kinds, "unsent", &RequestFigures::unsent);
  add("skipped", "", Better::lower,
      [](const RunReport& run) { return as_double(run.requests.skipped); });
  add("sent", "sent", Better::neither,
      [number](const RunReport& run) { return number(run.requests.sent); });
  add("completed", "completed", Better::higher,
      [](const RunReport& run) { return as_double(run.requests.completed); });
  add("lost", "lost", Better::lower,
      [](const RunReport& run) { return if_sent(run, as_double(run.requests.lost)); });
  add("late", "late", Better::lower,
      [number](const RunReport& run) { return if_sent(run, number(run.requests.late)); });
  add("errors", "errors", Better::lower,
      [](const RunReport& run) { return if_sent(run, total_of(run.requests.errors)); });
  add_kinds(kinds, "errors", &RequestFigures::errors);
  add("in_flight", "", Better::lower,
      [](const RunReport& run) { return as_double(run.requests.in_flight); });
  add("duplicates", "duplicates", Better::lower,
      [number](const RunReport& run) { return if_sent(run, number(run.requests.duplicates)); });
  add("reordered", "reordered", Better::lower,
      [number](const RunReport& run) { return if_sent(run, number(run.requests.reordered)); });
  add("held_back", "held_back", Better::lower,
      [number](const RunReport& run) { return number(run.requests.held_back); });
  kinds.push_back({"requests.loss_ratio",
                   "loss_ratio",
                   "loss",
                   "ratio",
                   Better::lower,
                   [](const RunReport& run) { return run.requests.loss_ratio; },
                   {}});
}

void add_loads(std::vector<MetricKind>& kinds) {
  kinds.push_back({"load.intended_per_s",
                   "intended",
                   "intended",
                   "per_s",
                   Better::neither,
                   [](const RunReport& run) { return run.load.intended_per_s; },
                   {}});
  kinds.push_back({"load.offered_per_s",
                   "offered",
                   "offered",
                   "per_s",
                   Better::neither,
                   [](const RunReport& run) { return Value(run.load.offered_per_s); },
                   {}});
  kinds.push_back({"load.achieved_per_s",
                   "achieved",
                   "achieved",
                   "per_s",
                   Better::higher,
                   [](const RunReport& run) { return run.load.achieved_per_s; },
                   {}});
}

void add_bytes(std::vector<MetricKind>& kinds) {
  kinds.push_back({"bytes.sent",
                   "bytes_sent",
                   "",
                   "bytes",
                   Better::neither,
                   [](const RunReport& run) { return Value(static_cast<double>(run.bytes_sent)); },
                   {}});
  kinds.push_back(
      {"bytes.received",
       "bytes_received",
       "",
       "bytes",
       Better::neither,
       [](const RunReport& run) { return Value(static_cast<double>(run.bytes_received)); },
       {}});
  kinds.push_back({"bytes.goodput_bits_per_s",
                   "goodput",
                   "goodput",
                   "bits_per_s",
                   Better::higher,
                   [](const RunReport& run) { return run.goodput_bits_per_s; },
                   {}});
}

void add_generator(std::vector<MetricKind>& kinds) {
  kinds.push_back({"generator.cpu_ratio",
                   "generator_cpu_ratio",
                   "",
                   "ratio",
                   Better::lower,
                   [](const RunReport& run) { return generator_cpu_ratio(run.generator); },
                   {}});
  kinds.push_back({"generator.calls_per_message",
                   "calls_per_message",
                   "",
                   "count",
                   Better::lower,
                   [](const RunReport& run) { return calls_per_message(run); },
                   {}});
}

// From "retransmits_per_s" to "per_s".
std::string unit_of(std::string_view key) {
  struct Ending {
    std::string_view text;
    std::string_view unit;
  };
  // The longer ones first: "_bits_per_s" ends in "_s" as well.
  constexpr std::array endings{
      Ending{"_bits_per_s", "bits_per_s"}, Ending{"_per_s", "per_s"}, Ending{"_bytes", "bytes"},
      Ending{"_ratio", "ratio"},           Ending{"_ns", "ns"},       Ending{"_s", "s"}};
  for (const Ending& ending : endings)
    if (key.ends_with(ending.text)) return std::string(ending.unit);
  return "count";
}

MetricKind protocol_kind(const std::string& protocol, const std::string& key) {
  return {fmt::format("{}.{}", protocol, key),
          fmt::format("{}_{}", protocol, key),
          "",
          unit_of(key),
          Better::neither,
          [protocol, key](const RunReport& run) -> Value {
            if (run.protocol != protocol) return std::nullopt;
            for (const auto& [name, value] : run.protocol_figures)
              if (name == key) return value;
            return std::nullopt;
          },
          {}};
}

}  // namespace

std::vector<MetricKind> metric_kinds() {
  std::vector<MetricKind> kinds;
  kinds.push_back({"duration_s",
                   "duration",
                   "",
                   "s",
                   Better::neither,
                   [](const RunReport& run) { return Value(run.duration_s); },
                   {}});
  add_loads(kinds);
  add_requests(kinds);
  add_bytes(kinds);
  for (const LatencyKind& latency : kLatencies) add_latency(kinds, latency);
  add_generator(kinds);
  return kinds;
}

std::optional<MetricKind> find_metric(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (MetricKind& kind : metric_kinds())
    if (kind.path == name || kind.name == name || kind.short_name == name) return std::move(kind);
  for (const char* protocol : {"udp", "tcp"}) {
    const std::string_view key = name.size() > 4 ? name.substr(4) : std::string_view();
    const bool plain = std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!key.empty() && plain && name.starts_with(protocol) && name[3] == '.')
      return protocol_kind(protocol, std::string(key));
  }
  return std::nullopt;
}

std::vector<MetricKind> headline_metrics() {
  constexpr std::array names{"achieved",     "offered",      "intended",       "goodput",
                             "loss_ratio",   "errors",       "response_mean",  "response_p50",
                             "response_p90", "response_p99", "response_p99_9", "response_max",
                             "connect_p50",  "connect_p99",  "service_p50",    "service_p99",
                             "send_lag_p99"};
  std::vector<MetricKind> all = metric_kinds();
  std::vector<MetricKind> chosen;
  for (const char* name : names)
    for (MetricKind& kind : all)
      if (kind.name == name) chosen.push_back(std::move(kind));
  return chosen;
}

}  // namespace volley
