// Where the time went and where datagrams were lost, by place.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/measure/units.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_figures.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/html_table.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostRuns = 8;

constexpr std::array<const char*, kDelayPlaces> kPlaces{
    "send lag",       "generator kernel", "way there",        "target queue",
    "target service", "way back",         "generator wake-up"};

std::string time_words(const std::optional<Nanos>& time) {
  if (!time) return "not stamped";
  return *time < Nanos(0) ? "−" + format_duration(-*time) : format_duration(*time);
}

std::string waterfall_table(const RunReport& run, const std::string& label) {
  const DelayByPlace& delay = *run.delay_by_place;
  HtmlTable table{"", {"place"}, {}, true, {}};
  table.caption = fmt::format("{}: where the requests around a percentile spent their time", label);
  for (std::size_t i = 0; i < kDelayPlaces; ++i)
    if (delay.places[i]) table.rows.push_back({kPlaces[i]});
  table.rows.push_back({"together (response)"});
  for (const DelayAt& at : delay.waterfall) {
    table.head.push_back(fmt::format("p{:g}", at.percentile * 100));
    std::size_t row = 0;
    for (std::size_t i = 0; i < kDelayPlaces; ++i)
      if (delay.places[i]) table.rows[row++].push_back(time_words(at.places[i]));
    table.rows[row].push_back(time_words(at.response));
  }
  return html_table(table);
}

std::string sample_words(const DelayByPlace& delay) {
  std::string words = fmt::format("{} of {} requests that were to be stamped came back stamped",
                                  format_count(delay.samples), format_count(delay.asked));
  words += delay.kernel_times ? "; both kernels stamped too."
                              : "; no kernel stamps, so the ways reach from program to program.";
  if (!delay.same_clock)
    words += fmt::format(" Two clocks: each way alone is right within {} only.",
                         format_duration(delay.clock_error));
  if (delay.order_violations > 0)
    words += fmt::format(" {} went back in time: do not trust these times.",
                         format_count(delay.order_violations));
  return words;
}

// The first run of a side that has what is asked.
template <typename Has>
const RunReport* first_with(const HtmlSide& side, Has has) {
  const auto found = std::find_if(side.runs.begin(), side.runs.end(),
                                  [&](const RunReport* run) { return has(*run); });
  return found == side.runs.end() ? nullptr : *found;
}

}  // namespace

std::string html_delay(const Report& report) {
  std::string tables;
  std::string words;
  const std::vector<HtmlSide> sides = html_sides(report);
  for (std::size_t i = 0; i < std::min(sides.size(), kMostRuns); ++i) {
    const RunReport* run = first_with(sides[i], [](const RunReport& r) {
      return r.delay_by_place && !r.delay_by_place->waterfall.empty();
    });
    if (run == nullptr) continue;
    const std::string label = sides.size() > 1 ? run->name : std::string(run->protocol);
    tables += waterfall_table(*run, label);
    words += html_paragraph(fmt::format("{}: {}", label, sample_words(*run->delay_by_place)));
  }
  if (tables.empty()) return {};
  return html_chart("waterfall",
                    "Stacked bars: response time by place, for each percentile; the table below "
                    "has the times",
                    "Where a request's time went, of requests around each percentile. Of several "
                    "rounds the first that was stamped.",
                    tables) +
         words;
}

std::string html_losses(const Report& report) {
  std::vector<std::pair<std::size_t, const RunReport*>> runs;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    if (run.loss_places && run.loss_places->lost > 0 && runs.size() < kMostRuns)
      runs.emplace_back(i, &run);
  }
  if (runs.empty()) return {};
  HtmlTable table{"Lost requests by place (warm-up included)", {"place"}, {}, true, {}};
  for (const auto& [number, run] : runs)
    table.head.push_back(html_text(html_run_label(report, number)));
  const auto add = [&](const std::string& place, auto count_of) {
    std::vector<std::string> row{html_text(place)};
    for (const auto& [number, run] : runs) {
      const std::optional<std::uint64_t> count = count_of(*run->loss_places);
      row.push_back(count ? format_count(*count) : "cannot be seen");
    }
    table.rows.push_back(std::move(row));
  };
  using Count = std::optional<std::uint64_t>;
  for (std::size_t i = 0; i < kLossSites; ++i)
    add(name_of(static_cast<LossSite>(i)).words,
        [i](const LossPlaces& places) { return places.sites[i]; });
  add("nowhere: they came late", [](const LossPlaces& places) { return Count(places.late); });
  add("nobody knows where", [](const LossPlaces& places) { return Count(places.unattributed); });
  add("together", [](const LossPlaces& places) { return Count(places.lost); });
  return html_table(table);
}

}  // namespace volley
