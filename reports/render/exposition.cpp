// Text that Prometheus' parsers take, whoever wrote the labels.
#include "reports/render/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "reports/render/words.hpp"

namespace volley {
namespace {

std::string label_name(std::string_view name) {
  std::string safe = "label_";
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    safe += upper ? static_cast<char>(c - 'A' + 'a') : kept ? c : '_';
  }
  return safe;
}

}  // namespace

std::optional<std::string> number_text(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return fmt::format("{}", value == 0 ? 0.0 : value);  // no "-0"
}

std::string label_text(std::string_view value) {
  std::string text;
  for (bool first = true;; first = false) {
    const std::size_t end = value.find('\n');
    if (!first) text += "\\n";
    for (const char c : printable(value.substr(0, end))) {
      if (c == '\\' || c == '"') text += '\\';
      text += c;
    }
    if (end == std::string_view::npos) return text;
    value.remove_prefix(end + 1);
  }
}

Labels user_labels(const std::vector<std::pair<std::string, std::string>>& labels) {
  Labels named;
  std::set<std::string> taken;
  std::map<std::string, int> next;
  for (const auto& [name, value] : labels) {
    if (name.empty() || value.empty()) continue;
    const std::string base = label_name(name);
    std::string candidate = base;
    int& n = next.try_emplace(base, 2).first->second;
    while (!taken.insert(candidate).second) candidate = fmt::format("{}_{}", base, n++);
    named.emplace_back(candidate, value);
  }
  return named;
}

const std::vector<BucketEnd>& bucket_ends() {
  static const std::vector<BucketEnd> ends{
      {1'000, "1e-06"},          {2'500, "2.5e-06"},       {5'000, "5e-06"},
      {10'000, "1e-05"},         {25'000, "2.5e-05"},      {50'000, "5e-05"},
      {100'000, "0.0001"},       {250'000, "0.00025"},     {500'000, "0.0005"},
      {1'000'000, "0.001"},      {2'500'000, "0.0025"},    {5'000'000, "0.005"},
      {10'000'000, "0.01"},      {25'000'000, "0.025"},    {50'000'000, "0.05"},
      {100'000'000, "0.1"},      {250'000'000, "0.25"},    {500'000'000, "0.5"},
      {1'000'000'000, "1.0"},    {2'500'000'000, "2.5"},   {5'000'000'000, "5.0"},
      {10'000'000'000, "10.0"},  {25'000'000'000, "25.0"}, {50'000'000'000, "50.0"},
      {100'000'000'000, "100.0"}};
  return ends;
}

std::uint64_t count_up_to(const Histogram& histogram, std::int64_t ns) {
  if (histogram.empty() || ns < histogram.min()->count()) return 0;
  if (ns >= histogram.max()->count()) return histogram.count();
  std::uint64_t count = 0;
  const auto counters = histogram.counters();
  for (std::size_t i = Histogram::index_of(histogram.min()->count());
       Histogram::highest_of(i) <= ns; ++i)
    count += counters[i];
  return count;
}

void add_distribution(PointFamily& family, const Labels& labels, const Histogram& histogram,
                      std::uint64_t infinite) {
  const std::uint64_t count = histogram.count() + infinite;
  const auto add_bucket = [&](const char* le, std::uint64_t up_to) {
    Labels with_end = labels;
    with_end.emplace_back("le", le);
    family.points.push_back({"_bucket", std::move(with_end), fmt::format("{}", up_to), {}});
  };
  for (const BucketEnd& end : bucket_ends()) add_bucket(end.le, count_up_to(histogram, end.ns));
  add_bucket("+Inf", count);
  // Whole ns: a saved report knows the sum by the mean, which is rounded.
  const double sum_ns =
      std::round(histogram.mean_ns().value_or(0) * static_cast<double>(histogram.count()));
  family.points.push_back({"_sum", labels, fmt::format("{}", sum_ns / 1e9), {}});
  family.points.push_back({"_count", labels, fmt::format("{}", count), {}});
}

std::string full_name(const PointFamily& family) {
  if (family.kind == FamilyKind::counter) return family.name + "_total";
  if (family.kind == FamilyKind::info) return family.name + "_info";
  return family.name;
}

std::string point_text(const PointFamily& family, const Point& point) {
  std::string text = family.name + point.suffix;
  char before = '{';
  for (const auto& [name, value] : point.labels) {
    text += fmt::format("{}{}=\"{}\"", before, name, label_text(value));
    before = ',';
  }
  if (before == ',') text += '}';
  return text + ' ' + point.value;
}

}  // namespace volley
