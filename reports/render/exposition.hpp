// What the text formats of Prometheus have in common: families of points, label text, numbers, and
// a distribution in fixed buckets. Which families there are: families.hpp; how a file of each
// format looks: prometheus.cpp and openmetrics.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/measure/histogram.hpp"

namespace volley {

using Labels = std::vector<std::pair<std::string, std::string>>;  // names are safe, values raw

struct Point {
  std::string suffix;  // behind the family's name: "_total" "_info" "_bucket" "_sum" "_count"
  Labels labels;
  std::string value;
  std::optional<std::int64_t> at_ms;  // since 1970 UTC
};

enum class FamilyKind : std::uint8_t { gauge, counter, histogram, info };

// Points of one name. Those of one set of labels stand together, in the order of time.
struct PointFamily {
  std::string name;  // as OpenMetrics has it: without the suffix of its points
  FamilyKind kind = FamilyKind::gauge;
  std::string unit;  // a base unit, and the ending of the name; or empty
  std::string help;  // plain ASCII without backslash, quote or line feed
  std::vector<Point> points;
};

// Shortest text that reads back to the same number, a whole one without a point; none for NaN and
// the infinite, which must not be written.
[[nodiscard]] std::optional<std::string> number_text(double value);

// A label's value between its quotes: backslash, quote and line feed escaped, other control
// characters and what is no UTF-8 replaced.
[[nodiscard]] std::string label_text(std::string_view value);

// Names for labels that a user chose: "label_" and the name in [a-z0-9_], numbered where two come
// out alike. A label without a name or a value is left out: Prometheus takes an empty one for none.
[[nodiscard]] Labels user_labels(const std::vector<std::pair<std::string, std::string>>& labels);

// A bucket's upper end, as ns and as the text of the label "le".
struct BucketEnd {
  std::int64_t ns;
  const char* le;  // seconds, as both Prometheus 2 and 3 store them
};
// 1, 2.5 and 5 of each power of ten from 1 us to 100 s.
[[nodiscard]] const std::vector<BucketEnd>& bucket_ends();

// How many samples count as at most `ns` long. A sample stands for the highest value of its
// counter, but for no more than the longest sample: what the percentiles of the report do as well.
// So it is exact up to 2.048 us, and above it samples up to 0.098 % shorter than `ns` may be
// counted in the next bucket.
[[nodiscard]] std::uint64_t count_up_to(const Histogram& histogram, std::int64_t ns);

// The points of a distribution in seconds. `infinite` samples are only in the bucket without an end
// and in the count; the sum is of the others.
void add_distribution(PointFamily& family, const Labels& labels, const Histogram& histogram,
                      std::uint64_t infinite);

// The name that its lines have in text 0.0.4: a counter's ends in "_total", an info's in "_info".
[[nodiscard]] std::string full_name(const PointFamily& family);

// `name{label="value"} value`, without time and line feed.
[[nodiscard]] std::string point_text(const PointFamily& family, const Point& point);

}  // namespace volley
