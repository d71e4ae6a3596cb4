// The files that every page carries, as they were when volley was built (html_assets.S).
#pragma once

#include <string_view>

namespace volley {

struct HtmlAsset {
  std::string_view text;
  std::string_view sha256;  // of the text, in hexadecimal
};

[[nodiscard]] HtmlAsset html_style();     // page/style.css
[[nodiscard]] HtmlAsset html_script();    // page/page.js
[[nodiscard]] HtmlAsset html_chart_js();  // Chart.js, with the banner of its licence

}  // namespace volley
