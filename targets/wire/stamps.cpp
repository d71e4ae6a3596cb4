#include "targets/wire/stamps.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

#include <array>

#include "targets/wire/ancillary.hpp"

namespace volley {
namespace {

constexpr std::uint32_t kOfReceived = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
// With the number of the send, without the bytes of the datagram.
constexpr std::uint32_t kNamed = SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

int ask(const Descriptor& socket, std::uint32_t flags) {
  return setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0 ? 0
                                                                                          : errno;
}

}  // namespace

int stamp_received(const Descriptor& socket) { return ask(socket, kOfReceived); }
int stamp_both(const Descriptor& socket) { return ask(socket, kOfReceived | kNamed); }

std::optional<SendStamp> take_send_stamp(const Descriptor& socket) {
  alignas(cmsghdr) std::array<std::byte, 256> memory{};
  msghdr message{};
  message.msg_control = memory.data();
  message.msg_controllen = memory.size();
  if (recvmsg(socket.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  SendStamp stamp;
  bool named = false;
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (holds_ancillary<KernelTimes>(h, SOL_SOCKET, SCM_TIMESTAMPING)) {
      stamp.time = nanos_of(ancillary_content<KernelTimes>(h)[0]);
    } else if (holds_ancillary<sock_extended_err>(h, IPPROTO_IP, IP_RECVERR) ||
               holds_ancillary<sock_extended_err>(h, IPPROTO_IPV6, IPV6_RECVERR)) {
      const auto said = ancillary_content<sock_extended_err>(h);
      named = said.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && said.ee_info == SCM_TSTAMP_SND;
      stamp.number = said.ee_data;
    }
  }
  return named && stamp.time != Nanos(0) ? std::optional(stamp) : std::nullopt;
}

WallOffset wall_offset() {
  constexpr int kTries = 4;  // an interruption between two readings spoils one of them
  WallOffset best{.ahead = Nanos(0), .error = Nanos::max()};
  MonoTime before = mono_now();
  for (int i = 0; i < kTries; ++i) {
    const WallTime wall = wall_now();
    const MonoTime after = mono_now();
    const Nanos half = (after - before) / 2;
    if (half < best.error)
      best = {.ahead = wall.time_since_epoch() - (before.time_since_epoch() + half), .error = half};
    before = after;
  }
  return best;
}

}  // namespace volley
