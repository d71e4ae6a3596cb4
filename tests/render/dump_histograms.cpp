// dump_histograms: histograms of every kind, a line each: the encoding, a tab, and then what
// HdrDump.java prints for it: count, percentiles, "value:count" of every counter in use.
#include <fmt/format.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "reports/render/hdr.hpp"

namespace {

using volley::Histogram;

std::vector<Histogram> histograms() {
  std::vector<Histogram> all(6);
  // all[0] stays empty
  all[1].record(42, 1);
  all[2].record(0, 1);
  all[2].record(2, 1);
  all[3].record(Histogram::kHighest, 1);
  all[4].record(1, UINT64_C(1) << 40U);
  all[4].record(2047, 3);
  all[4].record(2048, 3);
  for (std::int64_t value = 0; value < 5000; ++value) all[5].record(value, 1);
  std::mt19937_64 random(2924);
  for (int i = 0; i < 60; ++i) {
    Histogram h;
    for (int n = 0; n < 1 + i * 40; ++n) {
      const auto value = static_cast<std::int64_t>(random() >> (22 + random() % 42));
      h.record(value % (Histogram::kHighest + 1), 1 + random() % 1000);
    }
    all.push_back(std::move(h));
  }
  return all;
}

std::string described(const Histogram& h) {
  std::string text = fmt::format("{}", h.count());
  for (const auto p : {volley::kP50, volley::kP90, volley::kP99, volley::kP99_9, volley::kP99_99}) {
    // Java reports the highest value of the counter, also where the largest sample is lower.
    const auto value = h.at(p);
    const auto highest =
        value ? Histogram::highest_of(Histogram::index_of(value->count())) : std::int64_t{0};
    text += fmt::format(" {}", highest);
  }
  for (std::size_t i = 0; i < h.counters().size(); ++i)
    if (h.counters()[i] > 0)
      text += fmt::format(" {}:{}", Histogram::lowest_of(i), h.counters()[i]);
  return text;
}

}  // namespace

int main() {
  for (const Histogram& h : histograms())
    std::puts((volley::encode_hdr(h) + "\t" + described(h)).c_str());
}
