#include "targets/wire/ancillary.hpp"

#include <netinet/udp.h>

namespace volley {
namespace {

in6_addr mapped(in_addr v4) {
  in6_addr v6{};
  v6.s6_addr[10] = 0xFF;
  v6.s6_addr[11] = 0xFF;
  std::memcpy(v6.s6_addr + 12, &v4, sizeof v4);
  return v6;
}

in6_addr v6_of(const Address& address) {
  sockaddr_in6 v6{};
  std::memcpy(&v6, address.data(), sizeof v6);
  return v6.sin6_addr;
}

// The IPv4 address in an IPv4 or IPv4-mapped address.
in_addr v4_of(const Address& address) {
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.data(), sizeof v4);
    return v4.sin_addr;
  }
  in_addr v4{};
  std::memcpy(&v4, v6_of(address).s6_addr + 12, sizeof v4);
  return v4;
}

LocalAddress local_from(const in_pktinfo& info, int family) {
  // ipi_spec_dst is where an answer comes from, also when the datagram was a broadcast.
  if (info.ipi_spec_dst.s_addr == INADDR_ANY) return {};
  const Address address = family == AF_INET ? Address::v4(ntohl(info.ipi_spec_dst.s_addr), 0)
                                            : Address::v6(mapped(info.ipi_spec_dst), 0);
  return {.address = address, .interface = static_cast<unsigned>(info.ipi_ifindex)};
}

LocalAddress local_from(const in6_pktinfo& info) {
  if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return {};
  const std::uint32_t scope = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
  return {.address = Address::v6(info.ipi6_addr, 0, scope), .interface = info.ipi6_ifindex};
}

}  // namespace

bool speaks_v4(const Address& address) {
  if (address.family() == AF_INET) return true;
  const in6_addr ip = v6_of(address);
  return IN6_IS_ADDR_V4MAPPED(&ip);
}

void read_ancillary(msghdr& message, int family, Received& into) {
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (holds_ancillary<in_pktinfo>(h, IPPROTO_IP, IP_PKTINFO)) {
      into.local = local_from(ancillary_content<in_pktinfo>(h), family);
    } else if (holds_ancillary<in6_pktinfo>(h, IPPROTO_IPV6, IPV6_PKTINFO)) {
      // An IPv4 datagram brings both; IP_PKTINFO, which comes second, then overwrites this.
      into.local = local_from(ancillary_content<in6_pktinfo>(h));
    } else if (holds_ancillary<int>(h, IPPROTO_IP, IP_TTL) ||
               holds_ancillary<int>(h, IPPROTO_IPV6, IPV6_HOPLIMIT)) {
      into.ttl = ancillary_content<int>(h);
    } else if (holds_ancillary<int>(h, IPPROTO_UDP, UDP_GRO)) {
      const auto each = static_cast<std::size_t>(ancillary_content<int>(h));
      if (each < into.bytes.size()) into.segment_bytes = each;
    } else if (holds_ancillary<KernelTimes>(h, SOL_SOCKET, SCM_TIMESTAMPING)) {
      into.kernel_time = nanos_of(ancillary_content<KernelTimes>(h)[0]);
    }
  }
}

void append_source(msghdr& message, Ancillary& memory, const LocalAddress& local, bool v4) {
  if (v4) {
    if (!speaks_v4(local.address)) return;
    in_pktinfo info{};
    info.ipi_spec_dst = v4_of(local.address);
    append_ancillary(message, memory, IPPROTO_IP, IP_PKTINFO, info);
    return;
  }
  in6_pktinfo info{};
  info.ipi6_addr = v6_of(local.address);
  // Only a link-local address needs its interface; any other would tie the answer to the interface
  // the datagram came in by, whatever the routes say.
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = local.interface;
  append_ancillary(message, memory, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace volley
