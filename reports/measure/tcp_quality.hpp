// How TCP fared on a run's connections, by what the kernel says of each (TCP_INFO). Two kinds of
// figures: counts, which are those at the end less those at the beginning of the measure phase, and
// the state at moments in between, which is sampled.
//
//   counts   bytes and segments sent, sent again; time with something to send, and the parts of it
//            in which the peer's window or our own buffer was what held it up
//   samples  congestion window, smoothed round trip, rate of delivery
//
// RFC 6349 makes three ratios of such figures; they are at the end of this file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "reports/measure/time.hpp"

namespace volley {

// Of one connection since it was made, or of several in a time.
struct TcpCounts {
  std::uint64_t sent_bytes = 0;           // payload, with what was sent again
  std::uint64_t retransmitted_bytes = 0;  // payload
  std::uint64_t busy_us = 0;              // something was on its way or waited to be sent
  std::uint64_t rwnd_limited_us = 0;      // … and the peer's window was full
  std::uint64_t sndbuf_limited_us = 0;    // … and all of a full send buffer was on its way
  std::uint64_t retransmits = 0;          // segments, a SYN among them
  std::uint64_t reordering_seen = 0;      // times that acknowledgements showed reordering
  std::uint64_t out_of_order = 0;         // segments that came behind a gap

  TcpCounts& operator+=(const TcpCounts& other);
  // What came to pass since `earlier`; nothing is below 0, should the kernel take something back.
  [[nodiscard]] TcpCounts since(const TcpCounts& earlier) const;
};

// One connection at one moment.
struct TcpReading {
  TcpCounts counts;
  std::uint32_t cwnd = 0;       // segments
  std::uint32_t mss_bytes = 0;  // the payload of a full segment, options subtracted
  bool timestamps = false;      // 12 more bytes in each header
  // None: no data of ours has been acknowledged yet, so the kernel knows the handshake at most.
  std::optional<Nanos> rtt;      // smoothed
  std::optional<Nanos> min_rtt;  // the least that the kernel has seen
  std::optional<std::uint64_t> delivered_bytes_per_s;
  bool app_limited = false;  // that rate is so low because there was no more to send
};

// A sum, and of how many.
struct MeanOf {
  double sum = 0;
  std::uint64_t count = 0;

  void add(double value) {
    sum += value;
    ++count;
  }
  void merge(const MeanOf& other) {
    sum += other.sum;
    count += other.count;
  }
  [[nodiscard]] std::optional<double> mean() const {
    return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
  }
};

// Of the connections of one or more threads in the measure phase.
struct TcpFigures {
  std::uint64_t samples = 0;
  std::uint64_t connections = 0;  // whose counts are in `counts`
  TcpCounts counts;
  MeanOf cwnd;
  std::optional<std::uint32_t> cwnd_min, cwnd_max;
  std::optional<std::uint32_t> mss_bytes;  // the least
  bool timestamps = false;
  MeanOf rtt_ns;
  std::optional<Nanos> min_rtt;
  MeanOf delivery_bytes_per_s;     // of samples where the network or the peer set the pace
  MeanOf app_limited_bytes_per_s;  // of the others

  void sample(const TcpReading& reading);
  // A connection has come to its end, or the run has.
  void conclude(const TcpReading& at_end, const TcpCounts& at_begin);
  void merge(const TcpFigures& other);

 private:
  void note(const TcpReading& reading);
};

// RFC 6349 section 4.1.2: the share of the sent bytes that were not sent again; from 0 to 1. None:
// nothing was sent.
[[nodiscard]] std::optional<double> tcp_efficiency(std::uint64_t sent_bytes,
                                                   std::uint64_t retransmitted_bytes);

// Section 4.1.3: by how much the mean round trip exceeded the baseline, as a share of the latter.
// 0 where it did not: both are rounded to microseconds.
[[nodiscard]] std::optional<double> buffer_delay(std::optional<double> mean_rtt_ns,
                                                 std::optional<Nanos> baseline);

// The payload that a bottleneck of so many bits per second lets through at most, by section 3.3.1
// with real headers: each segment takes Ethernet's 38 bytes (preamble, header, checksum, gap), the
// headers of IP and TCP, and 12 of timestamps if they are on.
[[nodiscard]] double ideal_bits_per_s(double bottleneck_bits_per_s, std::uint32_t mss_bytes,
                                      bool timestamps, bool ipv6);

// Section 4.1.1: the actual transfer time by the ideal one, for the same bytes: the ideal rate by
// the actual one. None: nothing was transferred, or the ideal is not known.
[[nodiscard]] std::optional<double> transfer_time_ratio(std::optional<double> ideal_bits_per_s,
                                                        std::optional<double> actual_bits_per_s);

}  // namespace volley
