// What held TCP up? C18: windows and buffers that were the limit, and handshakes that waited for
// another SYN.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reports/judge/checklist.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

std::optional<double> figure(const RunRecord& record, std::string_view key) {
  for (const auto& [name, value] : record.protocol_figures)
    if (name == key) return value;
  return std::nullopt;
}

// A limit that holds most of the time is what the rate is a figure of.
void limit(Checklist& list, const char* key, const char* name, const char* whose) {
  const auto share = figure(list.record, key);
  if (!share) {
    list.not_applicable("C18", name, "The kernel says nothing of it, or nothing was sent.");
    return;
  }
  list.add(
      "C18", name, share, {0.5, {}}, "ratio", {"achieved_per_s"},
      fmt::format("{} was full for {} of the time in which there was something to send{}.", whose,
                  format_ratio(*share), *share > 0.5 ? ": the rate is its figure" : ""));
}

void handshakes(Checklist& list) {
  constexpr const char* name = "handshakes in one go";
  double again = 0;
  bool known = false;
  for (const char* key :
       {"connect_syn_retries_1", "connect_syn_retries_2", "connect_syn_retries_3"}) {
    const auto count = figure(list.record, key);
    known = known || count;
    again += count.value_or(0);
  }
  const auto made = static_cast<double>(list.record.latencies.connect.count());
  if (!known || made <= 0) {
    list.not_applicable("C18", name, "No handshakes are part of what was measured.");
    return;
  }
  const auto overflows = figure(list.record, "listen_overflows");
  std::vector<std::string> affects = percentiles_of(list.run, "connect");
  for (std::string& number : percentiles_of(list.run, "response"))
    affects.push_back(std::move(number));
  list.add(
      "C18", name, again / made, {0, {}}, "ratio", std::move(affects),
      again > 0
          ? fmt::format(
                "{:.0f} of {:.0f} handshakes waited a second or more for another "
                "SYN{}: those times are the kernel's, not the server's.",
                again, made,
                overflows.value_or(0) > 0 ? ", while the accept queue of the server was full" : "")
          : "No handshake waited for another SYN.");
}

}  // namespace

void check_tcp(Checklist& list) {
  if (list.record.protocol != "tcp") {
    list.not_applicable("C18", "what held TCP up", "The run is not over TCP.");
    return;
  }
  limit(list, "rwnd_limited_ratio", "receiver's window", "The receiver's window");
  limit(list, "sndbuf_limited_ratio", "send buffer", "The generator's send buffer");
  handshakes(list);
}

}  // namespace volley
