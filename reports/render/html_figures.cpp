#include "reports/render/html_figures.hpp"

#include <fmt/format.h>

#include <cmath>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"

namespace volley {
namespace {

std::string small(const std::string& words) { return "<small>" + words + "</small>"; }

// What a withheld percentile lacks: of the rules of judge/claims the first that does not hold.
std::string lacking(const Claim& claim, const PercentileKey& key) {
  const double beyond =
      claim.effective_samples * (1.0 - static_cast<double>(key.percentile.ppm) * 1e-6);
  std::string words = "too short a time";
  if (claim.tail_events < kFewestTailEvents)
    words = fmt::format("{} tail {} of {} needed", claim.tail_events,
                        claim.tail_events == 1 ? "event" : "events", kFewestTailEvents);
  else if (std::isfinite(beyond) && beyond < kFewestTailSamples)
    words = fmt::format("{:.1f} independent samples beyond it of {:.0f} needed", beyond,
                        kFewestTailSamples);
  return words;
}

std::string interval_words(const LatencyFigures& figures, const PercentileKey& key) {
  if (!figures.claims) return {};
  const Claim& claim = (*figures.claims).*key.claim;
  if (!claim.low) return {};
  return small(fmt::format("95 %: {} to {}", format_duration(Nanos(*claim.low)),
                           claim.high ? format_duration(Nanos(*claim.high)) : "no end"));
}

}  // namespace

std::string html_protocol(std::string_view protocol) {
  if (protocol == "udp") return "UDP";
  return protocol == "tcp" ? "TCP" : html_text(protocol);
}

std::string html_run_label(const Report& report, std::size_t run) {
  const std::string& name = report.runs[run].name;
  return report.runs.size() == 1 ? name : fmt::format("{} {}", run + 1, name);
}

std::string html_percentile(const LatencyFigures& figures, const PercentileKey& key) {
  if (is_withheld(figures, key))
    return "withheld" + small(lacking((*figures.claims).*key.claim, key));
  if (is_spoiled(figures, key)) return "withheld" + small("the generator spoiled it");
  const std::optional<std::int64_t>& figure = figures.*key.figure;
  if (figure) return format_duration(Nanos(*figure)) + interval_words(figures, key);
  return figures.beyond_lost ? "lost" + small("it lies among the lost requests") : "none";
}

std::string html_loss(const std::optional<std::uint64_t>& lost, std::uint64_t sent,
                      const std::optional<double>& ratio) {
  if (!lost) return "unknown";
  if (!ratio) return fmt::format("{} of {}", format_count(*lost), format_count(sent));
  return format_ratio(*ratio) +
         small(fmt::format("{} of {}", format_count(*lost), format_count(sent)));
}

std::string html_time(const std::optional<std::int64_t>& ns) {
  return ns ? format_duration(Nanos(*ns)) : "none";
}
std::string html_seconds(double seconds) {
  // A file may say anything of how long it was.
  if (seconds > 1e6) return fmt::format("{:.6g} s", seconds);
  return format_duration(Nanos(std::llround(seconds * 1e9)));
}
std::string html_count(const std::optional<std::uint64_t>& count) {
  return count ? format_count(*count) : "unknown";
}
std::string html_rate(const std::optional<double>& per_s) {
  return per_s ? format_rate(*per_s) : "unknown";
}

std::string html_command_line(const std::vector<std::string>& words) {
  return fmt::format("<code>{}</code>", html_text(fmt::format("{}", fmt::join(words, " "))));
}

std::string_view html_product(const Report& report) {
  const std::string workload = report.runs.empty() ? "rr" : report.runs.front().workload;
  if (workload == "connect") return "connections";
  return workload == "stream" ? "messages" : "round trips";
}

const LatencyFigures& html_main_latency(const RunReport& run) {
  return run.workload == "connect" ? run.connect : run.response;
}
std::string_view html_main_latency_words(const RunReport& run) {
  return run.workload == "connect" ? "connect" : "response";
}

std::vector<HtmlSide> html_sides(const Report& report) {
  std::vector<HtmlSide> sides;
  if (!report.comparison) {
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
      const RunReport& run = report.runs[i];
      const std::string label = report.runs.size() == 1 ? html_protocol(run.protocol)
                                                        : html_text(html_run_label(report, i));
      sides.push_back({label, run.protocol, i, {&run}});
    }
    return sides;
  }
  for (const char* protocol : {"udp", "tcp"}) {
    HtmlSide side{html_protocol(protocol), protocol, 0, {}};
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
      const RunReport& run = report.runs[i];
      if (run.protocol != protocol || run.status != "ok") continue;
      if (side.runs.empty()) side.first = i;
      side.runs.push_back(&run);
    }
    if (!side.runs.empty()) sides.push_back(std::move(side));
  }
  return sides;
}

}  // namespace volley
