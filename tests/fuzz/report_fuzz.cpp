// The report reader: any text is refused with RunError or taken, and what is taken can be rendered,
// and its JSON read again to the same JSON. The same bytes are also tried as an encoded histogram.
#include <cstddef>
#include <cstdint>
#include <string>

#include "reports/measure/ensure.hpp"
#include "reports/render/base64.hpp"
#include "reports/render/hdr.hpp"
#include "reports/render/renderer.hpp"

using namespace volley;

namespace {

void try_report(const std::string& text) {
  try {
    const Report report = parse_report(text);
    const std::string json = render_json(report);
    ensure(render_json(parse_report(json)) == json, "a report that was read is written and read");
    ensure(!render_text(report).empty(), "a report has a text");
    ensure(!render_csv(report).empty(), "a report has a table");
  } catch (const RunError& error) {
    ensure(error.code() == "bad_report", "a refusal has its code");
  }
}

void try_histogram(const std::string& base64) {
  try {
    const auto counters = decode_hdr(base64);
    Histogram histogram;
    histogram.restore(counters, Nanos(0), Nanos(Histogram::kHighest), 0.0);
    (void)histogram.at(kP99);
    auto again = decode_hdr(encode_hdr(histogram));
    // Foreign writers may leave zeros behind the last counter in use.
    again.resize(counters.size(), 0);
    ensure(again == counters, "a histogram that was read is written and read");
  } catch (const BadHdr&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  try_report(text);
  try_histogram(text);
  // As bytes, so that a mutation reaches the compressed content.
  try_histogram(encode_base64({data, size}));
  return 0;
}
