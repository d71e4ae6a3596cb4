// The text format 0.0.4: for promtool, Pushgateway, node_exporter's textfile collector. Its
// metadata carry the full name of a counter, and it knows neither units nor an end. No times: those
// readers refuse them.
#include <fmt/format.h>

#include "reports/render/families.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

std::string_view type_word(FamilyKind kind) {
  if (kind == FamilyKind::counter) return "counter";
  return kind == FamilyKind::histogram ? "histogram" : "gauge";
}

}  // namespace

std::string render_prometheus(const Report& report) {
  std::string text;
  for (const PointFamily& family : families_of(report, scenario_points(report))) {
    const std::string name = full_name(family);
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name,
                        type_word(family.kind));
    for (const Point& point : family.points) text += point_text(family, point) + '\n';
  }
  return text;
}

}  // namespace volley
