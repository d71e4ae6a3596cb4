#include "reports/render/html_assets.hpp"

#include <cstddef>

extern "C" {
extern const char volley_page_style_begin[];
extern const char volley_page_style_end[];
extern const char volley_page_script_begin[];
extern const char volley_page_script_end[];
extern const char volley_page_chart_begin[];
extern const char volley_page_chart_end[];
}

namespace volley {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

HtmlAsset html_style() {
  return {between(volley_page_style_begin, volley_page_style_end), VOLLEY_PAGE_STYLE_SHA256};
}
HtmlAsset html_script() {
  return {between(volley_page_script_begin, volley_page_script_end), VOLLEY_PAGE_SCRIPT_SHA256};
}
HtmlAsset html_chart_js() {
  return {between(volley_page_chart_begin, volley_page_chart_end), VOLLEY_PAGE_CHART_SHA256};
}

}  // namespace volley
