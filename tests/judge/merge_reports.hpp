// Reports to merge: of clean runs that started at the same time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reports/judge/merge.hpp"
#include "tests/judge/clean_record.hpp"

namespace volley::merging {

inline NamedReport named(std::string name, std::vector<RunReport> runs) {
  Report report;
  report.tool_version = "0.1.0";
  report.tool_commit = "0123abcd";
  report.started_at = "2026-11-22T13:12:58.123Z";
  report.host = {{"kernel", "Linux 6.1.0"}, {"name", name}};
  report.argv = {"volley", "run", "udp"};
  report.labels = {{"branch", "main"}, {"who", name}};
  report.runs = std::move(runs);
  return {std::move(name), std::move(report)};
}

inline NamedReport named(std::string name, const RunRecord& record) {
  return named(std::move(name), std::vector{summarize(record)});
}

// 64,000 requests that take so much longer than those of clean::record().
inline RunRecord clean_record(std::int64_t slower_by) {
  RunRecord r = clean::record();
  r.endpoint = "udp://127.0.0.1:2924";
  r.config = {{"size", "64"}, {"rate", "6400/s"}, {"flows", "4"}, {"seed", "1"}};
  clean::fill(r, [&](int, int i) { return clean::response_of(i) + slower_by; });
  return r;
}

}  // namespace volley::merging
