#include "reports/measure/target_record.hpp"

namespace volley {

TargetUdpCounters& TargetUdpCounters::operator+=(const TargetUdpCounters& other) {
  datagrams += other.datagrams;
  bytes_received += other.bytes_received;
  requests += other.requests;
  plain += other.plain;
  data += other.data;
  control += other.control;
  malformed += other.malformed;
  ignored.answers += other.ignored.answers;
  ignored.own_address += other.ignored.own_address;
  ignored.low_ports += other.ignored.low_ports;
  ignored.marked += other.ignored.marked;
  ignored.not_frames += other.ignored.not_frames;
  ignored.unproven += other.ignored.unproven;
  answered += other.answered;
  control_answered += other.control_answered;
  bytes_sent += other.bytes_sent;
  dropped += other.dropped;
  duplicated += other.duplicated;
  held += other.held;
  discarded += other.discarded;
  send_errors += other.send_errors;
  receive_errors += other.receive_errors;
  kernel_drops += other.kernel_drops;
  receive_calls += other.receive_calls;
  receive_misses += other.receive_misses;
  send_calls += other.send_calls;
  joined += other.joined;
  joined_slots += other.joined_slots;
  divided += other.divided;
  divided_sends += other.divided_sends;
  return *this;
}

TargetTcpCounters& TargetTcpCounters::operator+=(const TargetTcpCounters& other) {
  accepted += other.accepted;
  refused += other.refused;
  accept_errors += other.accept_errors;
  closed_by_peer += other.closed_by_peer;
  reset += other.reset;
  closed_idle += other.closed_idle;
  hostile += other.hostile;
  open_at_end += other.open_at_end;
  sessions += other.sessions;
  bytes_received += other.bytes_received;
  bytes_discarded += other.bytes_discarded;
  gathered += other.gathered;
  bytes_sent += other.bytes_sent;
  requests += other.requests;
  answered += other.answered;
  data += other.data;
  data_sent += other.data_sent;
  control += other.control;
  return *this;
}

}  // namespace volley
