// The frame of the HTML report: one file that asks nothing of a network, and reads as well where
// scripts are forbidden. What it shows stands in a table of sections; what its charts need beside
// the report's own JSON in a second island of data.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "reports/render/base64.hpp"
#include "reports/render/html_assets.hpp"
#include "reports/render/html_escape.hpp"
#include "reports/render/html_sections.hpp"
#include "reports/render/renderer.hpp"
#include "reports/render/text_verdict.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

struct Section {
  const char* id;
  const char* title;
  std::string (*html)(const Report&);
};

// In the order of the page. Charts of sweeps and searches come first when there are any.
constexpr std::array<Section, 12> kSections{{
    {"thresholds", "Thresholds", html_thresholds},
    {"troubles", "What went wrong", html_troubles},
    {"response", "How long answers took", html_response},
    {"course", "How it went on", html_course},
    {"send-lag", "How late the generator sent", html_send_lag},
    {"delay", "Where the time went", html_delay},
    {"losses", "Where datagrams were lost", html_losses},
    {"requests", "What became of every request", html_requests},
    {"parts", "What was merged", html_parts},
    {"checks", "May I believe it?", html_checks},
    {"conditions", "Conditions", html_conditions},
    {"data", "The data", html_data},
}};

std::string source_of(const HtmlAsset& asset) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < asset.sha256.size(); i += 2)
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(asset.sha256.substr(i, 2)), nullptr, 16)));
  return "'sha256-" + encode_base64(bytes) + "'";
}

// Nothing may be fetched, and only these very scripts and this style may act.
std::string policy() {
  return fmt::format(
      "default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; "
      "form-action 'none'",
      source_of(html_chart_js()), source_of(html_script()), source_of(html_style()));
}

std::string title_of(const Report& report) {
  std::string title = "volley report";
  if (report.comparison)
    title += ": UDP against TCP";
  else if (report.runs.size() == 1)
    title += fmt::format(": {}, {}", report.runs.front().name, verdict_word(report.runs.front()));
  else if (report.status == "failed")
    title += ": failed";
  if (!report.parts.empty()) title += fmt::format(", {}", merge_words(report));
  return html_text(title);
}

std::string island(std::string_view id, std::string_view json) {
  return fmt::format("<script type=\"application/json\" id=\"{}\">{}</script>\n", id,
                     html_island(json));
}

std::string sections(const Report& report) {
  std::string contents;
  std::string html;
  for (const Section& section : kSections) {
    const std::string inner = section.html(report);
    if (inner.empty()) continue;
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.title);
    html +=
        fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n{2}</section>\n",
                    section.id, section.title, inner);
  }
  return fmt::format("<nav aria-label=\"Contents\"><ul>\n{}</ul></nav>\n{}", contents, html);
}

std::string head(const Report& report) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      policy(), title_of(report), html_style().text);
}

}  // namespace

std::string render_html(const Report& report) {
  // Before anything that speaks of "part 1".
  const std::string merge =
      report.parts.empty()
          ? std::string()
          : fmt::format("; <a href=\"#parts\">{}</a>: histograms added, counts summed",
                        merge_words(report));
  std::string html = head(report);
  html += fmt::format(
      "<body>\n<a class=\"skip\" href=\"#result\">Skip to the result</a>\n"
      "<header><p>volley report, {}{}</p></header>\n<main>\n<section aria-labelledby=\"result\">\n"
      "{}</section>\n{}</main>\n<footer><p>Made by volley {} ({}); charts by Chart.js, under the "
      "MIT licence.</p></footer>\n",
      html_text(report.started_at), merge, html_result(report), sections(report),
      html_text(report.tool_version), html_text(report.tool_commit));
  html += island("volley-report", render_json(report));
  html += island("volley-curves", html_curves_json(report));
  html += fmt::format("<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n",
                      html_chart_js().text, html_script().text);
  return html;
}

}  // namespace volley
