"""Times from request to answer, out of a packet capture of one TCP connection of ours.

Reads what `tcpdump -w` writes (pcap with nanoseconds, Ethernet headers, as on lo), puts the bytes
of each direction together and finds our frames in them (targets/wire/frame.hpp): a request's time
is that of the packet with its last byte, and so is its answer's.
"""
import struct

from .model import Failed

MAGIC = b"\xf6\xd7"
FRAME_BYTES = 24
REQUESTS, RESPONSE = (1, 2), 3
NANOSECOND_PCAP = 0xA1B23C4D


def packets(data):
    """(time in ns, the packet's bytes) of each packet that was captured whole."""
    if len(data) < 24 or struct.unpack_from("<I", data)[0] != NANOSECOND_PCAP:
        raise Failed("tcpdump: no capture with nanoseconds")
    at = 24
    while at + 16 <= len(data):
        seconds, nanos, kept, _ = struct.unpack_from("<IIII", data, at)
        if at + 16 + kept > len(data):
            return
        yield seconds * 1_000_000_000 + nanos, data[at + 16:at + 16 + kept]
        at += 16 + kept


def tcp_payload(packet):
    """((source port, destination port), sequence number, payload) or None."""
    if len(packet) < 54 or packet[12:14] != b"\x08\x00" or packet[23] != 6:
        return None
    ip = (packet[14] & 15) * 4
    total = struct.unpack_from(">H", packet, 16)[0]
    source, destination, sequence = struct.unpack_from(">HHI", packet, 14 + ip)
    tcp = (packet[14 + ip + 12] >> 4) * 4
    end = 14 + (total or len(packet) - 14)  # 0: longer than the field can say
    payload = packet[14 + ip + tcp:end]
    return ((source, destination), sequence, payload) if payload else None


class Direction:
    """The bytes of one direction as they come, and the frames in them."""

    def __init__(self):
        self.expected = None
        self.rest = bytearray()
        self.frames = {}  # (kind, slot, sequence): time of the last byte

    def add(self, time_ns, sequence, payload):
        if self.expected is None:
            self.expected = sequence
        if sequence != self.expected:  # sent again, or a hole that the capture left
            return
        self.expected = (sequence + len(payload)) % (1 << 32)
        self.rest += payload
        at = 0
        while len(self.rest) - at >= FRAME_BYTES:
            if self.rest[at:at + 2] != MAGIC:
                raise Failed("capture: bytes that are no frame of ours")
            kind = self.rest[at + 3]
            slot, length = struct.unpack_from("<II", self.rest, at + 8)
            number = int.from_bytes(self.rest[at + 18:at + 24], "little")
            if len(self.rest) - at < FRAME_BYTES + length:
                break
            self.frames[kind, slot, number] = time_ns
            at += FRAME_BYTES + length
        del self.rest[:at]


def answer_times_ns(data, target_port):
    """For each request whose answer was captured too."""
    directions = {}
    for time_ns, packet in packets(data):
        found = tcp_payload(packet)
        if found:
            directions.setdefault(found[0], Direction()).add(time_ns, *found[1:])
    times = []
    for (source, destination), asked in directions.items():
        answered = directions.get((destination, source))
        if destination != target_port or not answered:
            continue
        for (kind, slot, number), sent in asked.frames.items():
            got = answered.frames.get((RESPONSE, slot, number))
            if kind in REQUESTS and got is not None:
                times.append(got - sent)
    return times
