#include "generators/engine/tcp_quality.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace volley {
namespace {

using Value = std::optional<double>;

std::string congestion_of(const Descriptor& socket) {
  std::array<char, 16> name{};
  socklen_t size = name.size() - 1;
  if (getsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return {};
  return name.data();
}

template <class T>
Value number(const std::optional<T>& value) {
  return value ? Value(static_cast<double>(*value)) : std::nullopt;
}

Value nanos(const std::optional<Nanos>& value) {
  return value ? Value(static_cast<double>(value->count())) : std::nullopt;
}

Value times_8(const Value& bytes) { return bytes ? Value(*bytes * 8) : std::nullopt; }

// By the goodput of the report: what was in flight when the measure phase ended is counted in, so
// that of a short run it is a little too good.
Value time_ratio(const RunRecord& record, const RunPlan& plan, const TcpFigures& tcp, bool ipv6) {
  const double seconds = to_seconds(record.duration);
  if (!plan.bottleneck_bits_per_s || !tcp.mss_bytes || !record.has_answers || seconds <= 0)
    return std::nullopt;
  const auto bottleneck = static_cast<double>(*plan.bottleneck_bits_per_s);
  return transfer_time_ratio(ideal_bits_per_s(bottleneck, *tcp.mss_bytes, tcp.timestamps, ipv6),
                             static_cast<double>(record.counters.bytes_received) * 8 / seconds);
}

}  // namespace

std::optional<TcpReading> read_tcp(const Descriptor& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!socket.is_open() || getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_rcv_ooopack) + sizeof info.tcpi_rcv_ooopack)
    return std::nullopt;
  TcpReading reading;
  reading.counts = {info.tcpi_bytes_sent,   info.tcpi_bytes_retrans,  info.tcpi_busy_time,
                    info.tcpi_rwnd_limited, info.tcpi_sndbuf_limited, info.tcpi_total_retrans,
                    info.tcpi_reord_seen,   info.tcpi_rcv_ooopack};
  reading.cwnd = info.tcpi_snd_cwnd;
  reading.mss_bytes = info.tcpi_snd_mss;
  reading.timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
  // A SYN counts as one byte that was acknowledged.
  if (info.tcpi_bytes_acked > 1) {
    constexpr std::uint32_t kNone = ~std::uint32_t{0};
    if (info.tcpi_rtt > 0) reading.rtt = std::chrono::microseconds(info.tcpi_rtt);
    if (info.tcpi_min_rtt != kNone && info.tcpi_min_rtt > 0)
      reading.min_rtt = std::chrono::microseconds(info.tcpi_min_rtt);
    if (info.tcpi_delivery_rate > 0) reading.delivered_bytes_per_s = info.tcpi_delivery_rate;
  }
  reading.app_limited = info.tcpi_delivery_rate_app_limited != 0;
  return reading;
}

TcpReadings::TcpReadings(Worker& worker, std::size_t connections)
    : worker_(worker),
      begun_(worker.plan().protocol == Protocol::tcp ? connections : 0),
      at_once_(std::min(begun_.size(), kMostEach)),
      period_(kEach / std::max<std::size_t>(at_once_, 1)) {
  if (worker.plan().protocol != Protocol::tcp)
    next_ = MonoTime::max();
  else
    worker.result().tcp.emplace();
}

void TcpReadings::begin(std::size_t i, const Descriptor& socket) {
  const auto reading = i < begun_.size() ? read_tcp(socket) : std::nullopt;
  if (!reading) return;
  begun_[i] = reading->counts;
  if (worker_.result().congestion.empty()) worker_.result().congestion = congestion_of(socket);
}

void TcpReadings::take_turns(MonoTime now, const SocketAt& socket_at) {
  const bool sampling = now < worker_.times().measure_end;
  // The counts of the warm-up end here. Of more than 32 connections those of the others ended at
  // their last turn. Without a warm-up the first requests may have left already.
  if (!measures_ && worker_.recorder().measures()) {
    if (worker_.plan().warm_up > Nanos(0))
      for (std::size_t n = 0; n < at_once_; ++n, advance()) begin(turn_of_, socket_at(turn_of_));
    measures_ = true;
  }
  for (std::size_t n = 0; n < at_once_ && now >= next_; ++n, advance()) {
    next_ += period_;
    if (!measures_)
      begin(turn_of_, socket_at(turn_of_));
    else if (sampling)
      sample(socket_at(turn_of_));
  }
  plan_next(now);
}

void TcpReadings::sample(const Descriptor& socket) {
  if (const auto reading = read_tcp(socket)) worker_.result().tcp->sample(*reading);
}

void TcpReadings::end(std::size_t i, const Descriptor& socket) {
  if (!measures_ || i >= begun_.size() || !begun_[i]) return;
  if (const auto reading = read_tcp(socket)) worker_.result().tcp->conclude(*reading, *begun_[i]);
}

void TcpReadings::end_of_short_one(MonoTime now, const Descriptor& socket) {
  if (!worker_.result().tcp) return;
  if (now >= next_) {
    next_ = now + kEach;
    left_ = kMostEach;
  }
  if (left_ == 0) return;
  --left_;
  const auto reading = read_tcp(socket);
  if (!reading) return;
  if (worker_.result().congestion.empty()) worker_.result().congestion = congestion_of(socket);
  worker_.result().tcp->sample(*reading);
  // The times are left out: a socket that is used again goes on counting them.
  TcpCounts none;
  none.busy_us = reading->counts.busy_us;
  none.rwnd_limited_us = reading->counts.rwnd_limited_us;
  none.sndbuf_limited_us = reading->counts.sndbuf_limited_us;
  worker_.result().tcp->conclude(*reading, none);
}

// What a thread that slept has missed beyond a turn of each is not made up for.
void TcpReadings::plan_next(MonoTime now) {
  if (begun_.empty())
    next_ = MonoTime::max();
  else if (next_ <= now)
    next_ = now + period_;
  if (!measures_ && now < worker_.times().measure_begin)
    next_ = std::min(next_, worker_.times().measure_begin);
}

void add_tcp_quality(RunRecord& record, const RunPlan& plan,
                     const std::vector<std::unique_ptr<Worker>>& workers) {
  TcpFigures tcp;
  std::string congestion;
  bool ipv6 = false;
  for (const auto& worker : workers) {
    ipv6 = worker->peer().family() == AF_INET6;
    if (worker->result().tcp) tcp.merge(*worker->result().tcp);
    if (congestion.empty()) congestion = worker->result().congestion;
  }
  record.config.emplace_back("congestion_in_use", congestion.empty() ? "unknown" : congestion);
  // Of a stream that comes down the sender is the target, and only it knows these.
  const bool streams = plan.workload == Workload::stream;
  const bool sends = !streams || plan.direction != Direction::down;
  const bool concluded = tcp.connections > 0;
  const bool sent = concluded && sends;
  const auto count = [](bool known, std::uint64_t n) {
    return known ? Value(static_cast<double>(n)) : std::nullopt;
  };
  const auto of_sender = [&](const Value& value) { return sends ? value : std::nullopt; };
  const TcpCounts& c = tcp.counts;
  const auto share_of_busy = [&](std::uint64_t us) {
    return sent && c.busy_us > 0
               ? Value(std::min(1.0, static_cast<double>(us) / static_cast<double>(c.busy_us)))
               : std::nullopt;
  };
  const Value rtt = of_sender(tcp.rtt_ns.mean());
  const auto min_rtt = sends ? tcp.min_rtt : std::nullopt;
  const auto upwards = [&](const Value& value) { return streams && sends ? value : std::nullopt; };
  auto& figures = record.protocol_figures;
  figures.emplace_back("connections_followed", static_cast<double>(tcp.connections));
  figures.emplace_back("samples", static_cast<double>(tcp.samples));
  figures.emplace_back("mss_bytes", number(tcp.mss_bytes));
  figures.emplace_back("sent_bytes", count(sent, c.sent_bytes));
  figures.emplace_back("retransmitted_bytes", count(sent, c.retransmitted_bytes));
  figures.emplace_back("retransmits", count(sent, c.retransmits));
  figures.emplace_back("reordering_seen", count(sent, c.reordering_seen));
  figures.emplace_back("out_of_order", count(concluded, c.out_of_order));
  figures.emplace_back("cwnd_min", of_sender(number(tcp.cwnd_min)));
  figures.emplace_back("cwnd_mean", of_sender(tcp.cwnd.mean()));
  figures.emplace_back("cwnd_max", of_sender(number(tcp.cwnd_max)));
  figures.emplace_back("rtt_mean_ns", rtt);
  figures.emplace_back("rtt_min_ns", nanos(min_rtt));
  figures.emplace_back("delivery_samples", count(sends, tcp.delivery_bytes_per_s.count));
  figures.emplace_back("delivery_bits_per_s", of_sender(times_8(tcp.delivery_bytes_per_s.mean())));
  figures.emplace_back("delivery_app_limited_samples",
                       count(sends, tcp.app_limited_bytes_per_s.count));
  figures.emplace_back("delivery_app_limited_bits_per_s",
                       of_sender(times_8(tcp.app_limited_bytes_per_s.mean())));
  const bool stand = plan.workload != Workload::crr && plan.workload != Workload::connect;
  figures.emplace_back("busy_us", count(sent && stand, c.busy_us));
  figures.emplace_back("rwnd_limited_ratio", share_of_busy(c.rwnd_limited_us));
  figures.emplace_back("sndbuf_limited_ratio", share_of_busy(c.sndbuf_limited_us));
  figures.emplace_back(
      "tcp_efficiency_ratio",
      upwards(sent ? tcp_efficiency(c.sent_bytes, c.retransmitted_bytes) : std::nullopt));
  figures.emplace_back("buffer_delay_ratio", upwards(buffer_delay(rtt, min_rtt)));
  figures.emplace_back("transfer_time_ratio", upwards(time_ratio(record, plan, tcp, ipv6)));
}

}  // namespace volley
