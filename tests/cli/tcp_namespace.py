"""Runs inside a network namespace of its own (started by test_tcp_quality.py), so that the kernel's
counters there are of this alone: lets volley meet a full accept queue, a link that drops counted
segments, and a wire with a delay. Prints what volley, the kernel and others said as JSON."""

import collections
import contextlib
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

NEAR, FAR, PORT = "10.98.0.1", "10.98.0.2", 2924
FAR_ENDPOINT = f"tcp://{FAR}:{PORT}"
PATIENCE = int(os.environ.get("VOLLEY_PATIENCE", "1"))


def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *words], check=True)


def run(volley, *options):
    """The only run of a report, and the same for people."""
    done = subprocess.run([volley, "run", *options, "--report", "json", "--quiet"],
                          capture_output=True, timeout=40 * PATIENCE)
    text = subprocess.run([volley, "report", "/dev/stdin"], input=done.stdout, capture_output=True,
                          timeout=10 * PATIENCE)
    report = json.loads(done.stdout)
    assert report["status"] == "ok", done.stdout
    return {"report": report, "text": text.stdout.decode()}


def netstat(name):
    lines = Path("/proc/net/netstat").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(values[names.index(name)])


# ---------------------------------------------------------------------------------------------
# A server that accepts nobody until its queue has overflowed


def queue(volley):
    """Connections are due 50 ms apart, and so are their second SYNs: coming together they would
    find an empty queue, and fill it with the ends of their handshakes, which the kernel counts as
    well."""
    ip("link", "set", "lo", "up")
    before = {name: netstat(name) for name in ("ListenOverflows", "ListenDrops", "TCPSynRetrans")}
    ended = threading.Event()
    taken = []

    def serve(server):
        # a backlog of 1 holds two, and the other six have been dropped
        end = time.monotonic() + 10 * PATIENCE
        while netstat("ListenOverflows") - before["ListenOverflows"] < 6:
            assert time.monotonic() < end
            time.sleep(0.005)
        server.settimeout(0.1)
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                taken.append(server.accept()[0])

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        said = run(volley, f"tcp://127.0.0.1:{server.getsockname()[1]}", "--workload", "connect",
                   "--rate", "20", "--arrival", "constant", "--requests", "8", "--warm-up", "0s",
                   "--timeout", "9s", "--duration", "20s")
        ended.set()
        thread.join()
    said["kernel"] = {name: netstat(name) - n for name, n in before.items()}
    return said


# ---------------------------------------------------------------------------------------------
# A link whose far end is another namespace


@contextlib.contextmanager
def far_namespace():
    """Words that run a command in a namespace of its own, and the process that keeps it."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 100"],
                          stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout.readline() == "ready\n"
        inside = ["nsenter", "-t", str(keeper.pid), "-n"]
        ip("link", "set", "lo", "up", inside=inside)
        yield inside, keeper.pid
        keeper.kill()


def give_addresses(inside, near, far):
    ip("address", "add", NEAR, "peer", FAR, "dev", near)
    ip("link", "set", near, "up")
    ip("address", "add", FAR, "peer", NEAR, "dev", far, inside=inside)
    ip("link", "set", far, "up", inside=inside)


@contextlib.contextmanager
def target(volley, inside, *options):
    with subprocess.Popen([*inside, volley, "target", "tcp-sink", "--listen", f"{FAR}:{PORT}",
                           *options], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline().startswith("listening")
        yield
        process.kill()


def take_all(tcpdump):
    """Waits until it has written down all that it was given; how many packets it was not given."""
    end = time.monotonic() + 10 * PATIENCE
    told = ""
    while time.monotonic() < end:
        tcpdump.send_signal(signal.SIGUSR1)
        # It answers at once, or (a signal may come at a bad moment) not at all.
        if select.select([tcpdump.stderr], [], [], 0.5)[0]:
            told += os.read(tcpdump.stderr.fileno(), 4096).decode()
        counts = re.findall(r"(\d+) packets? captured\D+(\d+)\D+(\d+) .*\n", told)
        if counts and counts[-1][0] == counts[-1][1]:
            return int(counts[-1][2])
    raise AssertionError(f"not all packets were captured: {told}")


def end(tcpdump):
    """Gently, if it lets itself: what it has taken is in its file already."""
    tcpdump.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        tcpdump.wait(timeout=5)
    tcpdump.kill()


def drops(volley, folder):
    """Every 97th full segment is dropped at the far end, behind the capture at the near one."""
    capture = str(Path(folder) / "wire.pcap")
    with far_namespace() as (inside, pid):
        ip("link", "add", "near", "mtu", "1500", "type", "veth", "peer", "name", "far")
        ip("link", "set", "far", "netns", str(pid))
        ip("link", "set", "near", "gso_max_segs", "1")  # a packet is a segment
        give_addresses(inside, "near", "far")
        rules = ("add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
                 f"add rule ip t in tcp dport {PORT} ip length > 1000 numgen inc mod 97 == 50 "
                 "counter drop")
        subprocess.run([*inside, "nft", rules], check=True)
        with target(volley, inside):
            with subprocess.Popen(["tcpdump", "-i", "near", "-s", "120", "-B", "16384", "-U",
                                   "-w", capture, f"tcp port {PORT}"], stderr=subprocess.PIPE,
                                  text=True) as tcpdump:
                assert any("listening on" in line for line in tcpdump.stderr)
                said = run(volley, FAR_ENDPOINT, "--workload", "stream", "--size", "8KiB",
                           "--requests", "500", "--warm-up", "0s", "--congestion", "cubic",
                           "--duration", "20s")
                said["kernel_dropped"] = take_all(tcpdump)
                end(tcpdump)
        counter = subprocess.run([*inside, "nft", "-j", "list", "chain", "ip", "t", "in"],
                                 check=True, capture_output=True).stdout
    rule = next(entry["rule"] for entry in json.loads(counter)["nftables"] if "rule" in entry)
    said["dropped"] = next(part["counter"]["packets"] for part in rule["expr"] if "counter" in part)
    # On the sender's own link nothing can be out of order but what was sent again.
    again = "tcp.analysis.retransmission || tcp.analysis.out_of_order"
    lengths = subprocess.run(["tshark", "-r", capture, "-Y", f"tcp.dstport == {PORT} && ({again})",
                              "-T", "fields", "-e", "tcp.len"], check=True, capture_output=True,
                             text=True).stdout.split()
    said["seen_again"] = [int(n) for n in lengths if int(n) > 0]
    return said


# ---------------------------------------------------------------------------------------------
# A wire with a delay: two tun devices and a thread that carries packets between them


class Wire:
    DELAY_S = 0.005

    def __init__(self, pid):
        self.near, self.far = self.open("near"), self.open("far")
        ip("link", "set", "far", "netns", str(pid))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.carry)

    @staticmethod
    def open(name):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        tun_without_header = 0x0001 | 0x1000
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), tun_without_header))
        return fd

    def carry(self):
        other = {self.near: self.far, self.far: self.near}
        under_way = collections.deque()
        while not self.ended.is_set():
            left = under_way[0][0] - time.monotonic() if under_way else 0.1
            for fd in select.select(list(other), [], [], max(0, left))[0]:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet = os.read(fd, 65_536)
                        under_way.append((time.monotonic() + self.DELAY_S, other[fd], packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, fd, packet = under_way.popleft()
                with contextlib.suppress(OSError):  # a device that is full drops it
                    os.write(fd, packet)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        os.close(self.near)
        os.close(self.far)


def limits(volley):
    stream = (FAR_ENDPOINT, "--workload", "stream", "--warm-up", "200ms")
    said = {}
    with far_namespace() as (inside, pid):
        wire = Wire(pid)
        give_addresses(inside, "near", "far")
        with wire:
            with target(volley, inside):
                said["buffer"] = run(volley, *stream, "--size", "64KiB", "--sndbuf", "16KiB",
                                     "--duration", "1s")
                probes = netstat("TCPLossProbes")
                said["free"] = run(volley, *stream, "--size", "1KiB", "--rate", "200",
                                   "--arrival", "constant", "--duration", "1s",
                                   "--bottleneck", "100Mbit/s")
                said["free"]["probes"] = netstat("TCPLossProbes") - probes
            with target(volley, inside, "--stall", "2500ms@200ms"):
                said["window"] = run(volley, *stream, "--size", "16KiB", "--duration", "2800ms")
    return said


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps({"queue": queue, "drops": drops, "limits": limits}[name](*arguments)))
