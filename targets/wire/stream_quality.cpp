#include "targets/wire/stream_quality.hpp"

#include "reports/measure/ensure.hpp"
#include "reports/measure/histogram.hpp"
#include "targets/wire/little_endian.hpp"

namespace volley {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};
constexpr std::size_t kHeadBytes = 8;

// Calls visit(count) and visit_figure(figure) for every member in the order of the wire.
template <class Quality, class OnCount, class OnFigure>
void each_member(Quality& q, OnCount&& on_count, OnFigure&& on_figure) {
  for (auto* count :
       {&q.arrived, &q.duplicates, &q.replicated, &q.reordered, &q.n_reordered_3, &q.forgotten,
        &q.in_runs, &q.runs_squared, &q.jitters_ns, &q.jitter_flows, &q.pairs, &q.together})
    on_count(*count);
  for (auto* spread : {&q.extent, &q.kept, &q.late_ns, &q.gap})
    for (auto* figure : {&spread->p50, &spread->p99, &spread->max}) on_figure(*figure);
  for (auto* figure : {&q.ipdv_abs_p50_ns, &q.ipdv_abs_p99_ns, &q.ipdv_shorter_max_ns,
                       &q.ipdv_longer_max_ns, &q.pdv_p50_ns, &q.pdv_p99_ns, &q.pdv_p99_9_ns})
    on_figure(*figure);
}

}  // namespace

void write_payload(const StreamQuality& value, std::span<std::byte> to) {
  ensure(to.size() >= kStreamQualityBytes, "the quality of a stream needs 256 bytes");
  store_little(value.place, to, 0);
  store_little(value.places, to, 2);
  store_little(std::uint32_t{0}, to, 4);
  std::size_t at = kHeadBytes;
  const auto put = [&](std::uint64_t number) {
    store_little(number, to, at);
    at += sizeof number;
  };
  each_member(
      value.figures, [&](std::uint64_t count) { put(count); },
      [&](const Figure& figure) { put(figure.value_or(kNone)); });
  ensure(at == kStreamQualityBytes, "every figure has its place");
}

std::optional<StreamQuality> read_stream_quality(std::span<const std::byte> payload) {
  // No count is that large, squares among them.
  constexpr std::uint64_t kMostCount = std::uint64_t{1} << 63U;
  constexpr auto kMostFigure = static_cast<std::uint64_t>(Histogram::kHighest);
  if (payload.size() < kStreamQualityBytes) return std::nullopt;
  StreamQuality value{.place = load_little<std::uint16_t>(payload, 0),
                      .places = load_little<std::uint16_t>(payload, 2),
                      .figures = {}};
  bool sane = value.place < value.places;
  std::size_t at = kHeadBytes;
  const auto take = [&] {
    const auto number = load_little<std::uint64_t>(payload, at);
    at += sizeof number;
    return number;
  };
  each_member(
      value.figures,
      [&](std::uint64_t& count) {
        count = take();
        sane = sane && count <= kMostCount;
      },
      [&](Figure& figure) {
        const std::uint64_t number = take();
        if (number != kNone) figure = number;
        sane = sane && (number == kNone || number <= kMostFigure);
      });
  if (!sane) return std::nullopt;
  return value;
}

}  // namespace volley
