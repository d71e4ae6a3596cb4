// Local ports for many connections to one destination. The kernel looks for a free port one by one
// through every second port of its range, so that from half the range on a connection costs a
// walk over thousands of used ports (milliseconds). Here each socket is given a small window of the
// range to look in, which goes round (IP_LOCAL_PORT_RANGE, Linux 6.3); where the kernel has no such
// option, connections are made as ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "targets/wire/address.hpp"
#include "targets/wire/socket.hpp"

namespace volley {

struct PortRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included
};
// "32768 60999" of net.ipv4.ip_local_port_range.
[[nodiscard]] std::optional<PortRange> parse_port_range(std::string_view text);

class PortWindows {
 public:
  // `range`: none: no windows. `start`: any number; threads and runs with different ones begin in
  // different places.
  PortWindows(std::optional<PortRange> range, std::uint64_t start);

  // start_connect() with a local port of the current window, or of the next that has one free.
  // EADDRNOTAVAIL: none has.
  [[nodiscard]] int connect(const Descriptor& socket, const Address& peer);

  static constexpr std::uint32_t kPorts = 64;  // of a window

 private:
  [[nodiscard]] bool use_window(const Descriptor& socket) const;

  PortRange range_;
  std::uint32_t windows_ = 0;  // 0: not in use
  std::uint32_t current_ = 0;
};

}  // namespace volley
