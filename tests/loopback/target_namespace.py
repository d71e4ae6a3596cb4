"""Runs inside a network namespace of its own (started by test_target_network.py): sends datagrams
with a forged source, or asks a wildcard target under each of its addresses, and prints JSON."""

import json
import socket
import struct
import subprocess
import sys
import time

from target_frames import REQUEST, frame

ETH_P_ALL = 3
FIRST, SECOND, STRANGER = "10.99.0.1", "10.99.0.2", "10.99.0.9"
FIRST6, SECOND6, STRANGER6 = "fd99::1", "fd99::2", "fd99::9"
PORT = 2924


def set_up():
    def ip(*words):
        subprocess.run(["ip", *words], check=True)
    ip("link", "set", "lo", "up")
    for address in (FIRST, SECOND, STRANGER):
        ip("address", "add", f"{address}/32", "dev", "lo")
    for address in (FIRST6, SECOND6, STRANGER6):
        ip("-6", "address", "add", f"{address}/128", "dev", "lo", "nodad")


def start(argv):
    """Starts a target and waits for its first `listening` line."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    assert line.startswith("listening"), f"{argv} said {line!r}"
    return process


def forged(source, destination, payload):
    """A whole IPv4 datagram with a UDP datagram in it, from an address that is not the sender's."""
    udp = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(destination[0])) + udp


class Sniffer:
    """Every UDP datagram on loopback, once each."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind(("lo", 0))

    def capture(self, quiet_s, most):
        """(source, destination, ttl) of what passes, until nothing has for `quiet_s`."""
        seen, end = [], time.monotonic() + 10
        self.sock.settimeout(quiet_s)
        while len(seen) < most and time.monotonic() < end:
            try:
                data, (_, protocol, kind, *_) = self.sock.recvfrom(65_535)
            except TimeoutError:
                break
            packet = data[14:]
            if protocol != 0x0800 or kind == socket.PACKET_OUTGOING or packet[9] != 17:
                continue  # loopback shows each packet going out and coming in
            ports = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
            seen.append(((socket.inet_ntoa(packet[12:16]), ports[0]),
                         (socket.inet_ntoa(packet[16:20]), ports[1]), packet[8]))
        return seen


def loop(program, kind, forged_from):
    """Two targets, and one datagram that seems to come from the second (or the first itself)."""
    def argv(address):
        if program.endswith("volley"):
            return [program, "target", "udp-echo", "--open", "--listen", f"{address}:{PORT}"]
        return [program, f"{address}:{PORT}"]
    targets = [start(argv(FIRST)), start(argv(SECOND))]
    sniffer = Sniffer()
    payload = {"frame": frame(REQUEST, b"x" * 40), "plain": b"forty bytes of text or thereabouts",
               "empty": b""}[kind]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    source = {"other": (SECOND, PORT), "itself": (FIRST, PORT), "low": (STRANGER, 7)}[forged_from]
    raw.sendto(forged(source, (FIRST, PORT), payload), (FIRST, 0))
    seen = sniffer.capture(quiet_s=1.0, most=200)
    alive = [t.poll() is None for t in targets]
    for target in targets:
        target.kill()
    assert seen and seen[0][:2] == (source, (FIRST, PORT)), seen
    return {"answers": seen[1:], "alive": alive}


def ask(client, payload, where):
    """Who answers. The memory for datagrams is the whole host's: one may be lost to others' floods."""
    client.settimeout(2)
    for _ in range(5):
        client.sendto(payload, where)
        try:
            return client.recvfrom(1000)[1][0]
        except TimeoutError:
            continue
    raise TimeoutError(f"{where} answers none of five")


def wildcard(program, *listen):
    """Asks every address of a wildcard target; from a socket bound to a third address, because the
    kernel's own choice of a source would be that one."""
    options = [word for where in listen for word in ("--listen", where)]
    target = start([program, "target", "udp-echo", "--open", *options])
    answers = []
    v4 = [(socket.AF_INET, STRANGER, a) for a in (FIRST, SECOND, "127.0.0.1")]
    v6 = [(socket.AF_INET6, STRANGER6, a) for a in (FIRST6, SECOND6)]
    asked = v4 + (v6 if any("[" in where for where in listen) else [])
    for family, source, address in asked:
        for payload in (b"text", frame(REQUEST, b"x")):
            with socket.socket(family, socket.SOCK_DGRAM) as client:
                client.bind(("127.0.0.5" if address.startswith("127.") else source, 0))
                answers.append([address, ask(client, payload, (address, PORT))])
    target.kill()
    return {"answers": answers}


def silence(program):
    """What a target that others can reach, but is not open, leaves unanswered."""
    target = start([program, "target", "udp-echo", "--listen", f"{FIRST}:{PORT}"])
    answered = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((STRANGER, 0))
        client.connect((FIRST, PORT))
        for name, payload in {
                "plain": b"text", "empty": b"", "request": frame(REQUEST, b"x" * 40),
                "sized": frame(2, struct.pack("<IQ", 1000, 0)),
                "sized-with-wrong-cookie": frame(2, struct.pack("<IQ", 1000, 12345)),
                "short-hello": frame(16, bytes(16)), "hello": frame(16, bytes(72)),
                "response": frame(3, b"x")}.items():
            client.settimeout(0.4)
            client.send(payload)
            try:
                answered[name] = len(client.recv(65_535))
            except TimeoutError:
                answered[name] = None
        client.send(frame(16, bytes(72)))
        cookie = struct.unpack_from("<Q", client.recv(1000), 24)[0]
        client.send(frame(2, struct.pack("<IQ", 1000, cookie)))
        answered["sized-with-cookie"] = len(client.recv(65_535))
    target.kill()
    return {"answered": answered}


if __name__ == "__main__":
    set_up()
    name, *arguments = sys.argv[1:]
    print(json.dumps({"loop": loop, "wildcard": wildcard, "silence": silence}[name](*arguments)))
