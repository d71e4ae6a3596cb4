// What a sink tells of a stream, on the wire; and times as a message carries them.
#include "targets/wire/stream_quality.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "targets/wire/frame.hpp"

namespace volley {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

StreamQuality some_quality() {
  StreamQuality q{.place = 3, .places = 5, .figures = {}};
  ArrivalQuality& f = q.figures;
  std::uint64_t n = 1;
  for (auto* count :
       {&f.arrived, &f.duplicates, &f.replicated, &f.reordered, &f.n_reordered_3, &f.forgotten,
        &f.in_runs, &f.runs_squared, &f.jitters_ns, &f.jitter_flows, &f.pairs, &f.together})
    *count = n++;
  for (auto* spread : {&f.extent, &f.kept, &f.late_ns}) *spread = {n++, n++, n++};
  f.ipdv_abs_p50_ns = n++;
  f.ipdv_shorter_max_ns = 0;
  f.pdv_p99_9_ns = n++;
  return q;
}

TEST(StreamQuality, keeps_every_figure_apart_and_what_is_missing_missing) {
  const StreamQuality value = some_quality();
  std::array<std::byte, kStreamQualityBytes> bytes{};
  write_payload(value, bytes);
  EXPECT_EQ(read_stream_quality(bytes), value);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_stream_quality(std::span(bytes).first(size))) << size;
  EXPECT_LE(kFrameBytes + kStreamQualityBytes, control_bytes(FrameKind::stream_quality));
}

TEST(StreamQuality, out_of_range_is_refused) {
  std::array<std::byte, kStreamQualityBytes> bytes{};
  StreamQuality value = some_quality();
  value.place = value.places;
  write_payload(value, bytes);
  EXPECT_FALSE(read_stream_quality(bytes));
  value = some_quality();
  value.figures.ipdv_abs_p99_ns = static_cast<std::uint64_t>(Histogram::kHighest) + 1;
  write_payload(value, bytes);
  EXPECT_FALSE(read_stream_quality(bytes));
  value = some_quality();
  value.figures.arrived = (std::uint64_t{1} << 63U) + 1;
  write_payload(value, bytes);
  EXPECT_FALSE(read_stream_quality(bytes));
}

TEST(TimeMark, tells_what_lies_between_two_times_wherever_its_32_bits_begin_anew) {
  for (const Nanos start : {Nanos(0), Nanos(hours(3)), Nanos((std::int64_t{1} << 36U) - 160)}) {
    const MonoTime earlier(start);
    for (const Nanos apart : {Nanos(0), Nanos(16), Nanos(microseconds(800)), Nanos(seconds(34))}) {
      EXPECT_EQ(between_marks(time_mark(earlier), time_mark(earlier + apart)), apart);
      EXPECT_EQ(between_marks(time_mark(earlier + apart), time_mark(earlier)), -apart);
    }
  }
}

}  // namespace
}  // namespace volley
