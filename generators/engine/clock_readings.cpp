#include "generators/engine/clock_readings.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "targets/wire/datagrams.hpp"
#include "targets/wire/endpoint.hpp"
#include "targets/wire/socket.hpp"
#include "targets/wire/stamps.hpp"

namespace volley {
namespace {

constexpr std::size_t kDatagrams = 256;
constexpr std::size_t kFewest = 64;  // below, the 2.5 % at each end would be one of them
constexpr std::size_t kWarmUp = 16;  // the first ones find cold caches
// The kernel switches its stamps on a little after it was asked to. 3 ms are enough for all with a
// CPU to oneself.
constexpr Nanos kFirstStamp = std::chrono::milliseconds(50);
constexpr Nanos kPatience = std::chrono::milliseconds(200);
constexpr std::size_t kBytes = 64;

// A UDP socket on loopback whose peer is itself, with both stamps.
std::optional<Descriptor> open_mirror() {
  constexpr std::uint32_t kLoopback = 0x7F000001;
  Descriptor socket;
  if (open_listener(Protocol::udp, Address::v4(kLoopback, 0), {}, socket) != 0 ||
      start_connect(socket, local_address(socket)) != 0 || stamp_both(socket) != 0)
    return std::nullopt;
  return socket;
}

// One datagram there and back.
class Trip {
 public:
  Trip() : receive_(1, kBytes, Details::none) { receive_.read_kernel_times(); }

  // What the readings lie outside of the stamps; none: a stamp or the datagram was missing.
  std::optional<Nanos> outside(const Descriptor& socket, MonoTime give_up) {
    send_.clear();
    send_.add(bytes_);
    send_.stamp(0);
    const MonoTime sent = mono_now();
    if (send_.send(socket) != 1) return std::nullopt;
    int came = 0;
    MonoTime received;
    do {
      came = receive_.receive(socket, 1);
      received = mono_now();
    } while (came == 0 && received < give_up);
    const auto left = take_send_stamp(socket);
    if (came != 1 || !left || receive_.at(0).kernel_time == Nanos(0)) return std::nullopt;
    // On the wall clock's side both conversions are one, and go away.
    return (received - sent) - (receive_.at(0).kernel_time - left->time);
  }

 private:
  std::array<std::byte, kBytes> bytes_{};
  SendBatch send_{1};
  ReceiveBatch receive_;
};

}  // namespace

std::optional<Calibration> calibrate_clock_readings() {
  const auto socket = open_mirror();
  if (!socket) return std::nullopt;
  const MonoTime begin = mono_now();
  Trip trip;
  std::vector<Nanos> outside;
  std::size_t done = 0;
  while (done < kWarmUp + kDatagrams) {
    const Nanos patience = done == 0 ? kFirstStamp : kPatience;
    if (mono_now() >= begin + patience) break;
    const auto found = trip.outside(*socket, begin + patience);
    if (found && ++done > kWarmUp) outside.push_back(*found);
  }
  if (outside.size() < kFewest) return std::nullopt;
  return calibrate(std::move(outside), Nanos(0));
}

}  // namespace volley
