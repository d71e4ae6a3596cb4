"""A long wire between two hosts: a TUN device on each, and a thread that carries each packet from
one to the other after a known time, for kernels without netem. Its packets have no Ethernet header,
so a token bucket on the device counts from the IP header on."""

import collections
import contextlib
import fcntl
import os
import select
import struct
import threading
import time

from .hosts import Missing, call

ADDRESSES = ("10.67.0.1", "10.67.0.2")
DEVICE = "long"
TUN_WITHOUT_HEADER = 0x0001 | 0x1000
SET_INTERFACE = 0x400454CA


def open_device(host, address, peer):
    """A TUN device of the host; whoever has the descriptor is the other end of it."""
    asked = struct.pack("16sH22x", b"volley-lab%d", TUN_WITHOUT_HEADER)
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        name = fcntl.ioctl(fd, SET_INTERFACE, asked)[:16].rstrip(b"\0").decode()
    except OSError as error:
        raise Missing(f"no TUN device: {error}") from None
    call("ip", "link", "set", name, "netns", host.holder.pid, "name", DEVICE)
    host.ip("address", "add", address, "peer", peer, "dev", DEVICE)
    host.ip("link", "set", DEVICE, "up")
    return fd


class Wire:
    """Carries packets until it is closed. `late_s`: the most that any was late."""

    def __init__(self, fds, delay_s):
        self.other, self.delay_s, self.late_s = {fds[0]: fds[1], fds[1]: fds[0]}, delay_s, 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.carry)

    def carry(self):
        under_way = collections.deque()
        while not self.ended.is_set():
            left = under_way[0][0] - time.monotonic() if under_way else 0.1
            for fd in select.select(list(self.other), [], [], max(0, left))[0]:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet = os.read(fd, 65_536)
                        under_way.append((time.monotonic() + self.delay_s, self.other[fd], packet))
            while under_way and under_way[0][0] <= time.monotonic():
                due, fd, packet = under_way.popleft()
                self.late_s = max(self.late_s, time.monotonic() - due)
                with contextlib.suppress(OSError):  # a device that is full drops it
                    os.write(fd, packet)

    def close(self):
        self.ended.set()
        self.thread.join()


@contextlib.contextmanager
def long_wire(hosts, delay_s):
    """Joins two hosts, 10.67.0.1 and 10.67.0.2, by a wire that takes delay_s each way."""
    with contextlib.ExitStack() as stack:
        fds = []
        for host, address, peer in zip(hosts, ADDRESSES, reversed(ADDRESSES)):
            fds.append(open_device(host, address, peer))
            stack.callback(os.close, fds[-1])
        wire = Wire(fds, delay_s)
        wire.thread.start()
        stack.callback(wire.close)
        yield wire
