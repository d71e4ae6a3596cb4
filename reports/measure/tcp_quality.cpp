#include "reports/measure/tcp_quality.hpp"

namespace volley {
namespace {

std::uint64_t less(std::uint64_t later, std::uint64_t earlier) {
  return later > earlier ? later - earlier : 0;
}

// The lesser one of two values that may be missing.
template <class T>
std::optional<T> least(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

template <class T>
std::optional<T> greatest(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

}  // namespace

TcpCounts& TcpCounts::operator+=(const TcpCounts& other) {
  sent_bytes += other.sent_bytes;
  retransmitted_bytes += other.retransmitted_bytes;
  busy_us += other.busy_us;
  rwnd_limited_us += other.rwnd_limited_us;
  sndbuf_limited_us += other.sndbuf_limited_us;
  retransmits += other.retransmits;
  reordering_seen += other.reordering_seen;
  out_of_order += other.out_of_order;
  return *this;
}

TcpCounts TcpCounts::since(const TcpCounts& earlier) const {
  return {less(sent_bytes, earlier.sent_bytes),
          less(retransmitted_bytes, earlier.retransmitted_bytes),
          less(busy_us, earlier.busy_us),
          less(rwnd_limited_us, earlier.rwnd_limited_us),
          less(sndbuf_limited_us, earlier.sndbuf_limited_us),
          less(retransmits, earlier.retransmits),
          less(reordering_seen, earlier.reordering_seen),
          less(out_of_order, earlier.out_of_order)};
}

void TcpFigures::sample(const TcpReading& reading) {
  ++samples;
  cwnd.add(reading.cwnd);
  cwnd_min = least(cwnd_min, std::optional(reading.cwnd));
  cwnd_max = greatest(cwnd_max, std::optional(reading.cwnd));
  if (reading.rtt) rtt_ns.add(static_cast<double>(reading.rtt->count()));
  if (reading.delivered_bytes_per_s)
    (reading.app_limited ? app_limited_bytes_per_s : delivery_bytes_per_s)
        .add(static_cast<double>(*reading.delivered_bytes_per_s));
  note(reading);
}

void TcpFigures::conclude(const TcpReading& at_end, const TcpCounts& at_begin) {
  ++connections;
  counts += at_end.counts.since(at_begin);
  note(at_end);
}

// What holds of the whole connection, whenever it is read.
void TcpFigures::note(const TcpReading& reading) {
  if (reading.mss_bytes > 0) mss_bytes = least(mss_bytes, std::optional(reading.mss_bytes));
  timestamps = timestamps || reading.timestamps;
  min_rtt = least(min_rtt, reading.min_rtt);
}

void TcpFigures::merge(const TcpFigures& other) {
  samples += other.samples;
  connections += other.connections;
  counts += other.counts;
  cwnd.merge(other.cwnd);
  cwnd_min = least(cwnd_min, other.cwnd_min);
  cwnd_max = greatest(cwnd_max, other.cwnd_max);
  mss_bytes = least(mss_bytes, other.mss_bytes);
  timestamps = timestamps || other.timestamps;
  rtt_ns.merge(other.rtt_ns);
  min_rtt = least(min_rtt, other.min_rtt);
  delivery_bytes_per_s.merge(other.delivery_bytes_per_s);
  app_limited_bytes_per_s.merge(other.app_limited_bytes_per_s);
}

std::optional<double> tcp_efficiency(std::uint64_t sent_bytes, std::uint64_t retransmitted_bytes) {
  if (sent_bytes == 0) return std::nullopt;
  return static_cast<double>(less(sent_bytes, retransmitted_bytes)) /
         static_cast<double>(sent_bytes);
}

std::optional<double> buffer_delay(std::optional<double> mean_rtt_ns,
                                   std::optional<Nanos> baseline) {
  if (!mean_rtt_ns || !baseline || *baseline <= Nanos(0)) return std::nullopt;
  const auto base = static_cast<double>(baseline->count());
  return std::max(0.0, (*mean_rtt_ns - base) / base);
}

double ideal_bits_per_s(double bottleneck_bits_per_s, std::uint32_t mss_bytes, bool timestamps,
                        bool ipv6) {
  constexpr double kEthernet = 38;
  constexpr double kTcp = 20;
  const double headers = kEthernet + kTcp + (timestamps ? 12 : 0) + (ipv6 ? 40 : 20);
  return bottleneck_bits_per_s * mss_bytes / (mss_bytes + headers);
}

std::optional<double> transfer_time_ratio(std::optional<double> ideal_bits_per_s,
                                          std::optional<double> actual_bits_per_s) {
  if (!ideal_bits_per_s || !actual_bits_per_s || *actual_bits_per_s <= 0) return std::nullopt;
  return *ideal_bits_per_s / *actual_bits_per_s;
}

}  // namespace volley
