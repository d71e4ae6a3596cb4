#include "generators/engine/churn.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace volley {

int ChurnSockets::make(ChurnSocket& socket) {
  socket = {};
  int error = open_socket(plan_.protocol, worker_.peer().family(), socket.descriptor);
  if (error == 0) error = apply(plan_.socket, plan_.protocol, socket.descriptor);
  if (error == 0 && plan_.source) error = bind_source(socket.descriptor, take_source());
  if (error == 0 && !worker_.result().buffers)
    worker_.result().buffers = buffer_sizes(socket.descriptor);
  return error;
}

Address ChurnSockets::take_source() {
  const Address source = plan_.source->at(next_source_);
  next_source_ += plan_.threads;
  return source;
}

int ChurnSockets::begin(ChurnSocket& socket) {
  int error = 0;
  socket.unsent.clear();
  if (!socket.descriptor.is_open())
    error = make(socket);
  else if (plan_.source && plan_.source->count() > 1)
    error = change_source(socket.descriptor, take_source());
  if (error == 0) {
    error = start_connect(socket.descriptor, worker_.peer());
    ++worker_.result().send_calls;
  }
  if (error != 0 && error != EINPROGRESS)
    close(socket);
  else
    worker_.note_connected(socket.descriptor);
  return error;
}

int ChurnSockets::go_on(const ChurnSocket& socket) {
  ++worker_.result().send_calls;
  const int error = start_connect(socket.descriptor, worker_.peer());
  return error == EALREADY ? EINPROGRESS : error;
}

int ChurnSockets::send(ChurnSocket& socket, std::span<const std::byte> message) {
  ++worker_.result().send_calls;
  const ssize_t n = ::send(socket.descriptor.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (n < 0) return errno;
  const auto rest = message.subspan(static_cast<std::size_t>(n));
  socket.unsent.assign(rest.begin(), rest.end());
  return 0;
}

int ChurnSockets::send_rest(ChurnSocket& socket) {
  ++worker_.result().send_calls;
  const ssize_t n =
      ::send(socket.descriptor.get(), socket.unsent.data(), socket.unsent.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN ? 0 : errno;
  socket.unsent.erase(socket.unsent.begin(), socket.unsent.begin() + n);
  return 0;
}

int ChurnSockets::watch(ChurnSocket& socket, std::uint64_t tag, bool for_room) {
  if (socket.watched && socket.watched_for_room == for_room) return 0;
  const int fd = socket.descriptor.get();
  const int error = socket.watched ? worker_.poller().change(fd, tag, true, for_room)
                                   : worker_.poller().add(fd, tag, true, for_room);
  if (error != 0) return error;
  socket.watched = true;
  socket.watched_for_room = for_room;
  return 0;
}

void ChurnSockets::end(ChurnSocket& socket) {
  // A udp socket would keep the late answers of its former flow for the next one.
  const bool stays = plan_.protocol == Protocol::tcp && plan_.close == Close::rst;
  if (!stays)
    drop(socket);
  else if (disconnect(socket.descriptor) != 0)
    close(socket);
}

void ChurnSockets::drop(ChurnSocket& socket) {
  worker_.poller().forget(socket.descriptor.get());
  socket.descriptor.close();
}

void ChurnSockets::close(ChurnSocket& socket) {
  worker_.poller().forget(socket.descriptor.get());
  if (plan_.protocol == Protocol::tcp && plan_.close == Close::rst)
    close_by_reset(socket.descriptor);
  else
    socket.descriptor.close();
}

}  // namespace volley
