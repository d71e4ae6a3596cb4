#include "generators/engine/conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "generators/engine/host.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;
using Text = std::optional<std::string>;

template <class T>
Text number(const std::optional<T>& value) {
  return value ? Text(std::to_string(*value)) : std::nullopt;
}

// Each of them once, in their order; none: there are none.
Text joined(const std::vector<std::string>& texts) {
  return texts.empty() ? std::nullopt : Text(fmt::format("{}", fmt::join(texts, " ")));
}

// The addresses that the threads' first sockets got.
Text sources(const Workers& workers) {
  std::vector<std::string> texts;
  for (const auto& worker : workers) {
    const auto& socket = worker->result().socket;
    if (!socket || !socket->local.valid()) continue;
    std::string ip = socket->local.ip();
    if (std::find(texts.begin(), texts.end(), ip) == texts.end()) texts.push_back(std::move(ip));
  }
  return joined(texts);
}

// Those of all threads where they are the same, else of each.
Text cpus(const Workers& workers) {
  std::vector<std::string> texts;
  for (const auto& worker : workers)
    if (!worker->result().cpus.empty()) texts.push_back(cpu_list(worker->result().cpus));
  if (std::adjacent_find(texts.begin(), texts.end(), std::not_equal_to<>()) == texts.end())
    texts.resize(std::min<std::size_t>(texts.size(), 1));
  return joined(texts);
}

Text buffer(const Workers& workers, std::uint64_t BufferSizes::*size) {
  for (const auto& worker : workers)
    if (worker->result().buffers) return std::to_string((*worker->result().buffers).*size);
  return std::nullopt;
}

// UDP asks for all there is; TCP sizes its buffers itself.
Text asked_buffer(const RunPlan& plan, const std::optional<std::uint64_t>& bytes) {
  if (!bytes && plan.protocol == Protocol::udp) return "largest";
  return number(bytes);
}

Text pacing(const SocketFacts& socket) {
  const auto& rate = socket.pacing_bytes_per_s;
  if (!rate) return std::nullopt;
  // No limit is all ones, of 32 bits where the kernel counts in those.
  if (*rate >= std::numeric_limits<std::uint64_t>::max() / 8 ||
      *rate == std::numeric_limits<std::uint32_t>::max())
    return "unlimited";
  return format_bit_rate_exact(*rate * 8);
}

Text congestion(const Workers& workers) {
  for (const auto& worker : workers)
    if (!worker->result().congestion.empty()) return worker->result().congestion;
  return std::nullopt;
}

OffloadFigures offload_of(const Workers& workers) {
  OffloadFigures all;
  for (const auto& worker : workers) all += worker->result().offload;
  return all;
}

std::string offload_send(const RunPlan& plan, const OffloadFigures& offload) {
  if (plan.offload == Offload::off) return "off";
  if (offload.refused != 0) return "refused by the route";
  return offload.divided_sends > 0 ? "divided by the kernel" : "not used";
}

std::string offload_receive(const RunPlan& plan, const OffloadFigures& offload) {
  if (plan.offload == Offload::off) return "off";
  return offload.joined_receives > 0 ? "joined by the kernel" : "not used";
}

}  // namespace

std::vector<Condition> conditions_of(const RunPlan& plan, const Route& route,
                                     const Workers& workers) {
  const bool tcp = plan.protocol == Protocol::tcp;
  const auto of = [](bool has, auto make) { return has ? Text(make()) : std::nullopt; };
  const auto seen = std::find_if(workers.begin(), workers.end(),
                                 [](const auto& worker) { return worker->result().socket; });
  const SocketFacts socket = seen != workers.end() ? *(*seen)->result().socket : SocketFacts();
  const SocketOptions& options = plan.socket;
  const OffloadFigures offload = offload_of(workers);
  const auto offload_asked = of(!tcp, [&] { return std::string(to_string(plan.offload)); });
  return {
      {"device", std::nullopt, route.device},
      {"qdisc", std::nullopt, route.qdisc},
      {"mtu_bytes", std::nullopt, number(socket.mtu_bytes)},
      {"source", of(plan.source.has_value(), [&] { return plan.source->text(); }),
       sources(workers)},
      {"rcvbuf_bytes", asked_buffer(plan, options.rcvbuf_bytes),
       buffer(workers, &BufferSizes::receive_bytes)},
      {"sndbuf_bytes", asked_buffer(plan, options.sndbuf_bytes),
       buffer(workers, &BufferSizes::send_bytes)},
      {"dscp", number(options.dscp), number(socket.dscp)},
      {"congestion", of(tcp && !options.congestion.empty(), [&] { return options.congestion; }),
       tcp ? congestion(workers) : std::nullopt},
      {"pacing_rate",
       of(tcp && options.pacing_bits_per_s,
          [&] { return format_bit_rate_exact(*options.pacing_bits_per_s); }),
       tcp ? pacing(socket) : std::nullopt},
      {"offload_send", offload_asked, of(!tcp, [&] { return offload_send(plan, offload); })},
      {"offload_receive", offload_asked, of(!tcp, [&] { return offload_receive(plan, offload); })},
      {"wait", std::string(to_string(plan.wait_asked)), std::string(to_string(plan.wait))},
      {"cpus", plan.pin ? "pin on" : "pin off", cpus(workers)},
  };
}

}  // namespace volley
