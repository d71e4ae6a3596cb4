#include "reports/measure/counters.hpp"

#include <cerrno>

namespace volley {
namespace {

constexpr std::array<std::string_view, kErrorKinds> kWords{
    "refused",      "reset",      "closed",     "timed_out", "unreachable",
    "malformed",    "unexpected", "no_buffers", "no_ports",  "too_many_files",
    "message_size", "permission", "flow_dead",  "other"};

void add(ErrorCounts& to, const ErrorCounts& from) {
  for (std::size_t i = 0; i < kErrorKinds; ++i) to[i] += from[i];
}

}  // namespace

std::string_view to_string(ErrorKind kind) { return kWords[static_cast<std::size_t>(kind)]; }

std::optional<ErrorKind> error_kind_from(std::string_view word) {
  for (std::size_t i = 0; i < kErrorKinds; ++i)
    if (kWords[i] == word) return static_cast<ErrorKind>(i);
  return std::nullopt;
}

ErrorKind error_kind_of(int errno_value) {
  switch (errno_value) {
    case ECONNREFUSED:
      return ErrorKind::refused;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return ErrorKind::reset;
    case ETIMEDOUT:
      return ErrorKind::timed_out;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return ErrorKind::unreachable;
    case ENOBUFS:
    case ENOMEM:
      return ErrorKind::no_buffers;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return ErrorKind::no_ports;
    case EMFILE:
    case ENFILE:
      return ErrorKind::too_many_files;
    case EMSGSIZE:
      return ErrorKind::message_size;
    case EPERM:
    case EACCES:
      return ErrorKind::permission;
    default:
      return ErrorKind::other;
  }
}

std::uint64_t total(const ErrorCounts& counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : counts) sum += n;
  return sum;
}

RequestCounters& RequestCounters::operator+=(const RequestCounters& other) {
  sent += other.sent;
  completed += other.completed;
  lost += other.lost;
  late += other.late;
  add(errors, other.errors);
  add(unsent, other.unsent);
  duplicates += other.duplicates;
  reordered += other.reordered;
  held_back += other.held_back;
  sent_late += other.sent_late;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  add(socket_events, other.socket_events);
  return *this;
}

}  // namespace volley
