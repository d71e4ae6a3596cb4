#include "generators/engine/route.hpp"

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "generators/engine/netlink.hpp"

namespace volley {
namespace {

// An address as the routing tables have it: that of an IPv4 host is four bytes, also where IPv6
// sockets name it.
struct RawAddress {
  std::uint8_t family = AF_INET;
  std::vector<std::byte> bytes;
  std::uint32_t scope = 0;
};

RawAddress raw(const Address& address) {
  const auto* data = reinterpret_cast<const std::byte*>(address.data());
  if (address.family() == AF_INET) {
    const auto* ip = data + offsetof(sockaddr_in, sin_addr);
    return {AF_INET, {ip, ip + sizeof(in_addr)}, 0};
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, data, std::min<std::size_t>(sizeof v6, address.size()));
  const auto* ip = data + offsetof(sockaddr_in6, sin6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
    return {AF_INET, {ip + sizeof(in6_addr) - sizeof(in_addr), ip + sizeof(in6_addr)}, 0};
  return {AF_INET6, {ip, ip + sizeof(in6_addr)}, v6.sin6_scope_id};
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// All attributes that are asked with are multiples of four bytes, so that none needs padding.
void append_attribute(std::vector<std::byte>& to, std::uint16_t type,
                      std::span<const std::byte> payload) {
  const rtattr head{static_cast<unsigned short>(sizeof(rtattr) + payload.size()), type};
  append(to, bytes_of(head));
  append(to, payload);
}

// The body of RTM_GETROUTE.
std::vector<std::byte> route_question(const Address& peer, const std::optional<Address>& source) {
  const RawAddress to = raw(peer);
  rtmsg about{};
  about.rtm_family = to.family;
  about.rtm_dst_len = static_cast<unsigned char>(to.bytes.size() * 8);
  std::vector<std::byte> attributes;
  append_attribute(attributes, RTA_DST, to.bytes);
  if (source) {
    const RawAddress from = raw(*source);
    about.rtm_src_len = static_cast<unsigned char>(from.bytes.size() * 8);
    append_attribute(attributes, RTA_SRC, from.bytes);
  }
  if (to.scope != 0) append_attribute(attributes, RTA_OIF, bytes_of(to.scope));
  std::vector<std::byte> body;
  append(body, bytes_of(about));
  append(body, attributes);
  return body;
}

std::optional<std::string> interface_name(std::uint32_t device) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(device, name.data()) == nullptr) return std::nullopt;
  return name.data();
}

// The text of an attribute, which the kernel ends with a zero; none: it is no name of a qdisc.
std::optional<std::string> name_in(std::span<const std::byte> payload) {
  const std::string_view all(reinterpret_cast<const char*>(payload.data()), payload.size());
  const std::string_view name = all.substr(0, all.find('\0'));
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  return std::string(name);
}

// One RTM_NEWQDISC without its netlink header; none: it is another interface's, or no root.
std::optional<std::string> root_kind(std::span<const std::byte> message, std::uint32_t device) {
  const auto about = value_at<tcmsg>(message);
  if (!about || about->tcm_parent != TC_H_ROOT) return std::nullopt;
  if (static_cast<std::uint32_t>(about->tcm_ifindex) != device) return std::nullopt;
  const auto kind = find_attribute(behind(message, sizeof(tcmsg)), TCA_KIND);
  return kind ? name_in(*kind) : std::nullopt;
}

std::optional<std::string> root_qdisc_of(std::uint32_t device) {
  // The question for one interface is answered to all who listen, not to the one who asks.
  const Descriptor asked = ask_for_qdiscs();
  if (!asked.is_open()) return std::nullopt;
  for (int i = 0; i < kMostQdiscAnswers; ++i) {
    const std::vector<std::byte> answer = next_answer(asked);
    const auto found = answer.empty() ? std::nullopt : parse_root_qdisc(answer, device);
    if (!found || found->kind || found->done) return found ? found->kind : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> parse_route_device(std::span<const std::byte> answer) {
  while (const auto message = take_message(answer)) {
    if (message->type != RTM_NEWROUTE) continue;
    if (message->body.size() < sizeof(rtmsg)) return std::nullopt;
    const auto found = find_attribute(behind(message->body, sizeof(rtmsg)), RTA_OIF);
    const auto device = found ? value_at<std::uint32_t>(*found) : std::nullopt;
    return device && *device != 0 ? device : std::nullopt;
  }
  return std::nullopt;
}

std::optional<RootQdisc> parse_root_qdisc(std::span<const std::byte> answer, std::uint32_t device) {
  RootQdisc found;
  while (!answer.empty() && !found.kind) {
    const auto message = take_message(answer);
    if (!message || message->type == NLMSG_ERROR) return std::nullopt;
    if (message->type == NLMSG_DONE) {
      found.done = true;
      return found;
    }
    if (message->type == RTM_NEWQDISC) found.kind = root_kind(message->body, device);
  }
  return found;
}

Route route_to(const Address& peer, const std::optional<Address>& source) {
  Route route;
  const Descriptor asked = ask_rtnetlink(RTM_GETROUTE, 0, route_question(peer, source));
  if (!asked.is_open()) return route;
  const auto device = parse_route_device(next_answer(asked));
  if (!device) return route;
  route.device = interface_name(*device);
  route.qdisc = root_qdisc_of(*device);
  return route;
}

}  // namespace volley
