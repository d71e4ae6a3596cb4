"""Our frame, written a second time from its description in targets/wire/frame.hpp, so that the
tests of the targets share no code with them."""

import socket
import struct

HEADER = struct.Struct("<2sBBIIIH")
MAGIC = b"\xf6\xd7"
REQUEST, SIZED, RESPONSE, DATA, DATA_WARM_UP = 1, 2, 3, 4, 5
HELLO, HELLO_ACK, STATISTICS, STATISTICS_ACK, GOODBYE, GOODBYE_ACK = 16, 17, 18, 19, 20, 21
ECHO, SINK, SOURCE, BOTH = 0, 1, 2, 3
PADDING = bytes(72)  # makes a control frame 96 bytes


def frame(kind, payload=b"", session=7, slot=0, flow=1, sequence=0, length=None):
    length = len(payload) if length is None else length
    return (HEADER.pack(MAGIC, 1, kind, session, slot, length, flow)
            + sequence.to_bytes(6, "little") + payload)


def hello(session_kind, message_bytes=0, cookie=0, **fields):
    return frame(HELLO, struct.pack("<IIQ", session_kind, message_bytes, cookie) + bytes(56),
                 **fields)


def sized(response_bytes, cookie=0, filler=b"", **fields):
    return frame(SIZED, struct.pack("<IQ", response_bytes, cookie) + filler, **fields)


def parse(data):
    """(kind, session, slot, flow, sequence, payload) of the frame at the start of `data`."""
    magic, version, kind, session, slot, length, flow = HEADER.unpack_from(data)
    assert (magic, version) == (MAGIC, 1), bytes(data[:24])
    sequence = int.from_bytes(data[18:24], "little")
    return kind, session, slot, flow, sequence, data[24:24 + length]


def parse_all(data):
    """(kind, session, flow, sequence, payload) of each frame; `data` ends where a frame does."""
    frames, at, view = [], 0, memoryview(data)
    while at < len(data):
        kind, session, _, flow, sequence, payload = parse(view[at:])
        frames.append((kind, session, flow, sequence, bytes(payload)))
        at += 24 + len(payload)
    assert at == len(data)
    return frames


NAMES = ("messages", "bytes", "duplicates", "reordered", "warm_up_messages", "sent_messages",
         "sent_bytes", "malformed")


def statistics_of(payload):
    return dict(zip(NAMES, struct.unpack_from("<8Q", payload)))


def udp_to(address, timeout=5.0, source=None):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    # room for every answer of a test, should this side not run for a while
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if source:
        sock.bind(source)
    sock.connect(address)
    return sock


def tcp_to(address, timeout=10.0):
    return socket.create_connection(address, timeout=timeout)


def read_exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(65_536, count - len(data)))
        assert piece, f"the peer closed after {len(data)} of {count} bytes"
        data += piece
    return bytes(data)


def read_to_end(sock):
    data = bytearray()
    while piece := sock.recv(65_536):
        data += piece
    return bytes(data)
