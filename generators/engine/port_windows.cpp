#include "generators/engine/port_windows.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace volley {
namespace {

constexpr int kLocalPortRange = 51;  // IP_LOCAL_PORT_RANGE, which older headers lack

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
  PortRange range;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, range.first);
  if (first.ec != std::errc()) return std::nullopt;
  const char* next = first.ptr;
  while (next != end && (*next == ' ' || *next == '\t')) ++next;
  const auto last = std::from_chars(next, end, range.last);
  constexpr std::uint32_t kMostPort = 65'535;
  if (last.ec != std::errc() || range.first > range.last || range.last > kMostPort)
    return std::nullopt;
  return range;
}

PortWindows::PortWindows(std::optional<PortRange> range, std::uint64_t start) {
  if (!range) return;
  range_ = *range;
  windows_ = (range_.last - range_.first) / kPorts + 1;
  current_ = static_cast<std::uint32_t>(start % windows_);
}

bool PortWindows::use_window(const Descriptor& socket) const {
  const std::uint32_t low = range_.first + current_ * kPorts;
  const std::uint32_t high = std::min(low + kPorts - 1, range_.last);
  const std::uint32_t both = high << 16U | low;
  return setsockopt(socket.get(), IPPROTO_IP, kLocalPortRange, &both, sizeof both) == 0;
}

int PortWindows::connect(const Descriptor& socket, const Address& peer) {
  for (std::uint32_t tried = 0; tried < windows_; ++tried) {
    if (!use_window(socket)) {
      windows_ = 0;  // a kernel that does not know it will not learn it
      break;
    }
    const int error = start_connect(socket, peer);
    if (error != EADDRNOTAVAIL) return error;
    current_ = current_ + 1 == windows_ ? 0 : current_ + 1;
  }
  return windows_ == 0 ? start_connect(socket, peer) : EADDRNOTAVAIL;
}

}  // namespace volley
