// The findings of volley doctor as JSON; keys in a fixed order.
#include "reports/render/doctor_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace volley {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string render_findings_json(const std::vector<Finding>& findings) {
  Json root;
  root["schema_version"] = "1.0";
  root["warnings"] = std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == FindingLevel::warn;
  });
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json entry;
    entry["id"] = finding.id;
    entry["level"] = to_string(finding.level);
    entry["found"] = finding.found;
    entry["spoils"] = text_or_null(finding.spoils);
    entry["fix"] = text_or_null(finding.fix);
    list.push_back(std::move(entry));
  }
  root["findings"] = std::move(list);
  // What was read from /sys is not ours: bytes that are no UTF-8 are replaced, never thrown over.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace volley
