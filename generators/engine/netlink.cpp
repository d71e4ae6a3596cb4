#include "generators/engine/netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

namespace volley {
namespace {

std::size_t padded(std::size_t size) { return (size + 3U) & ~std::size_t{3}; }

}  // namespace

std::span<const std::byte> behind(std::span<const std::byte> bytes, std::size_t head) {
  return bytes.subspan(std::min(padded(head), bytes.size()));
}

std::optional<std::span<const std::byte>> find_attribute(std::span<const std::byte> bytes,
                                                         std::uint16_t type) {
  while (const auto head = value_at<rtattr>(bytes)) {
    if (head->rta_len < sizeof(rtattr) || head->rta_len > bytes.size()) return std::nullopt;
    if ((head->rta_type & NLA_TYPE_MASK) == type)
      return bytes.first(head->rta_len).subspan(sizeof(rtattr));
    bytes = behind(bytes, head->rta_len);
  }
  return std::nullopt;
}

std::optional<NetlinkMessage> take_message(std::span<const std::byte>& bytes) {
  const auto head = value_at<nlmsghdr>(bytes);
  if (!head || head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > bytes.size())
    return std::nullopt;
  const NetlinkMessage message{head->nlmsg_type,
                               bytes.first(head->nlmsg_len).subspan(sizeof(nlmsghdr))};
  bytes = behind(bytes, head->nlmsg_len);
  return message;
}

Descriptor ask_rtnetlink(std::uint16_t type, std::uint16_t flags, std::span<const std::byte> body) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + body.size());
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  std::vector<std::byte> question(sizeof head + body.size());
  std::memcpy(question.data(), &head, sizeof head);
  std::copy(body.begin(), body.end(), question.begin() + sizeof head);
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.is_open() || let_receive_wait(socket, std::chrono::seconds(1)) != 0) return {};
  const ssize_t sent = ::send(socket.get(), question.data(), question.size(), 0);
  if (sent != static_cast<ssize_t>(question.size())) return {};
  return socket;
}

Descriptor ask_for_qdiscs() {
  const tcmsg any{};
  return ask_rtnetlink(RTM_GETQDISC, NLM_F_DUMP, std::as_bytes(std::span(&any, 1)));
}

std::vector<std::byte> next_answer(const Descriptor& asked) {
  std::vector<std::byte> answer(std::size_t{32} << 10U);
  const ssize_t n = ::recv(asked.get(), answer.data(), answer.size(), 0);
  answer.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return answer;
}

}  // namespace volley
