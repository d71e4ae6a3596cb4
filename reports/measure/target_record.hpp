// What a target counted while it served: plain numbers, one struct per thread, added up at the end.
//
// Every datagram and every byte that came in is counted once: datagrams = requests + plain + data +
// control + ignored (each kind) + malformed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/measure/record.hpp"
#include "reports/measure/time.hpp"

namespace volley {

// Datagrams that were deliberately left without an answer, by the rule that forbade it.
struct IgnoredDatagrams {
  std::uint64_t answers = 0;      // response and acknowledgement frames
  std::uint64_t own_address = 0;  // seem to come from this target itself
  std::uint64_t low_ports = 0;    // from a source port below 1024
  std::uint64_t marked = 0;       // plain answers of a target of ours, told by their time to live
  std::uint64_t not_frames = 0;   // plain datagrams where only our frames are answered
  std::uint64_t unproven = 0;     // want an answer larger than themselves without a valid cookie
};

struct TargetUdpCounters {
  std::uint64_t datagrams = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t requests = 0;   // request frames
  std::uint64_t plain = 0;      // datagrams that are not frames, taken in
  std::uint64_t data = 0;       // stream messages
  std::uint64_t control = 0;    // hello, statistics, goodbye
  std::uint64_t malformed = 0;  // control frames with a bad payload, truncated datagrams
  IgnoredDatagrams ignored;
  std::uint64_t answered = 0;  // datagrams sent in answer to requests, copies included
  std::uint64_t control_answered = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t dropped = 0;      // requests consumed in silence (--drop)
  std::uint64_t duplicated = 0;   // answers sent twice (--duplicate)
  std::uint64_t held = 0;         // answers held back to be overtaken (--reorder)
  std::uint64_t discarded = 0;    // answers waiting that found no room, or no time before the end
  std::uint64_t send_errors = 0;  // answers the kernel refused
  std::uint64_t receive_errors = 0;
  std::uint64_t kernel_drops = 0;  // datagrams that found the socket's buffer full

  std::uint64_t receive_calls = 0;   // that brought something
  std::uint64_t receive_misses = 0;  // that found nothing
  std::uint64_t send_calls = 0;
  std::uint64_t joined = 0;         // datagrams that the kernel delivered together (UDP_GRO)
  std::uint64_t joined_slots = 0;   // the pieces of memory they came in
  std::uint64_t divided = 0;        // datagrams that the kernel made of larger sends (UDP_SEGMENT)
  std::uint64_t divided_sends = 0;  // those sends

  TargetUdpCounters& operator+=(const TargetUdpCounters& other);
};

struct TargetTcpCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;         // closed at once: --max-connections was reached
  std::uint64_t accept_errors = 0;   // accept failed, for want of descriptors mostly
  std::uint64_t closed_by_peer = 0;  // in good order
  std::uint64_t reset = 0;           // hard, or with a send or receive error
  std::uint64_t closed_idle = 0;     // --idle-timeout
  std::uint64_t hostile = 0;         // closed because of a frame that cannot be
  std::uint64_t open_at_end = 0;
  std::uint64_t sessions = 0;  // connections that spoke frames
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_discarded = 0;  // of these: dropped in the kernel (--discard)
  std::uint64_t gathered = 0;  // how often a stream was fast enough to be read in large pieces
  std::uint64_t bytes_sent = 0;
  std::uint64_t requests = 0;   // request frames
  std::uint64_t answered = 0;   // response frames, queued or sent
  std::uint64_t data = 0;       // stream messages received
  std::uint64_t data_sent = 0;  // stream messages sent whole
  std::uint64_t control = 0;    // hello, statistics, goodbye

  TargetTcpCounters& operator+=(const TargetTcpCounters& other);
};

// A target's whole life.
struct TargetRecord {
  std::string kind;                    // "all", "udp-echo" …
  std::vector<std::string> listening;  // "udp://127.0.0.1:2924" …
  unsigned threads = 1;
  struct Share {
    std::uint64_t datagrams = 0;
    std::uint64_t connections = 0;
  };
  std::vector<Share> by_thread;  // what each thread served
  std::string wait = "block";    // or "spin"
  bool pinned = false;
  std::string deal = "even";  // or "cpu": which thread serves a TCP connection
  std::uint64_t seed = 1;
  std::string started_at;                // ISO 8601 UTC
  Nanos duration{0};                     // from ready to the end
  std::string ended_by;                  // "SIGINT" "SIGTERM" "max_duration" "empty_datagram"
  std::optional<TargetUdpCounters> udp;  // none: did not listen on UDP
  std::optional<TargetTcpCounters> tcp;
};

}  // namespace volley
