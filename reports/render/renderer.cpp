// The formats there are: one line each.
#include "reports/render/renderer.hpp"

#include <array>
#include <utility>

namespace volley {
namespace {

constexpr std::array<std::pair<std::string_view, Renderer>, 3> kRenderers{{
    {"text", render_text},
    {"json", render_json},
    {"csv", render_csv},
}};

}  // namespace

Renderer find_renderer(std::string_view format) {
  for (const auto& [name, renderer] : kRenderers)
    if (name == format) return renderer;
  return nullptr;
}

std::vector<std::string> renderer_names() {
  std::vector<std::string> names;
  names.reserve(kRenderers.size());
  for (const auto& [name, renderer] : kRenderers) names.emplace_back(name);
  return names;
}

}  // namespace volley
