// A socket address as a value: what the kernel calls sockaddr, for IPv4 and IPv6.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace volley {

class Address {
 public:
  Address() = default;
  Address(const sockaddr* from, socklen_t size);
  static Address v4(std::uint32_t host_order_ip, std::uint16_t port);
  static Address v6(const in6_addr& ip, std::uint16_t port, std::uint32_t scope = 0);

  [[nodiscard]] bool valid() const { return size_ != 0; }
  [[nodiscard]] int family() const { return storage_.sin6_family; }
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  [[nodiscard]] bool is_loopback() const;  // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104
  [[nodiscard]] bool is_wildcard() const;  // 0.0.0.0 or ::
  // 255.255.255.255, or 127.255.255.255: those that are so on every host.
  [[nodiscard]] bool is_broadcast() const;

  [[nodiscard]] const sockaddr* data() const;
  [[nodiscard]] sockaddr* data();
  [[nodiscard]] socklen_t size() const { return size_; }
  // What a call has written; the kernel tells a larger size than capacity() of an address it cut.
  void set_size(socklen_t size) { size_ = size <= capacity() ? size : 0; }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

  // "127.0.0.1", "::1"; and with the port: "127.0.0.1:2924", "[::1]:2924".
  [[nodiscard]] std::string ip() const;
  [[nodiscard]] std::string text() const;
  // A 64-bit hash of family, address and port.
  [[nodiscard]] std::uint64_t hash() const;
  friend bool operator==(const Address& a, const Address& b);

 private:
  sockaddr_in6 storage_{};  // or a sockaddr_in at its beginning
  socklen_t size_ = 0;
};

}  // namespace volley
