// The sections of the HTML report. Each gives the HTML below its heading; an empty text leaves the
// section out. A new one is a function here and a line in html.cpp's table.
#pragma once

#include <string>

#include "reports/judge/summary.hpp"

namespace volley {

// The top of the page: verdict and result in a sentence each, and the large figures.
[[nodiscard]] std::string html_result(const Report& report);

[[nodiscard]] std::string html_thresholds(const Report& report);
// What went wrong: errors, socket events, warnings.
[[nodiscard]] std::string html_troubles(const Report& report);
// Percentiles of response times, with the curve.
[[nodiscard]] std::string html_response(const Report& report);
// Rate, percentiles and losses over time.
[[nodiscard]] std::string html_course(const Report& report);
[[nodiscard]] std::string html_send_lag(const Report& report);
// Where the time of a request went, and where datagrams were lost.
[[nodiscard]] std::string html_delay(const Report& report);
[[nodiscard]] std::string html_losses(const Report& report);
// What became of every request.
[[nodiscard]] std::string html_requests(const Report& report);
// Of a merged report, which generators it is of.
[[nodiscard]] std::string html_parts(const Report& report);
[[nodiscard]] std::string html_checks(const Report& report);
[[nodiscard]] std::string html_conditions(const Report& report);
// The same report as text, and the JSON to download.
[[nodiscard]] std::string html_data(const Report& report);

// What charts need and JSON has only encoded: points of the distributions' curves, as JSON.
[[nodiscard]] std::string html_curves_json(const Report& report);

}  // namespace volley
