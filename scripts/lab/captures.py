"""Captures: tcpdump on a host's end of the cable, with the kernel's nanoseconds, and read back
without any library. A capture with packets missing is no witness, so it fails."""

import contextlib
import re
import signal
import struct
import subprocess
import time

from .hosts import tool

PACKET_BYTES = 96
DEADLINE_S = 10


class Capture:
    """The packets of a finished capture: (time in ns, captured bytes, length on the wire)."""

    def __init__(self, path):
        self.path, self.packets = path, []

    def read(self):
        with open(self.path, "rb") as file:
            head = file.read(24)
            assert struct.unpack("<I", head[:4])[0] == 0xA1B23C4D, "no pcap file with nanoseconds"
            while len(record := file.read(16)) == 16:
                seconds, nanos, kept, length = struct.unpack("<IIII", record)
                self.packets.append((seconds * 1_000_000_000 + nanos, file.read(kept), length))


@contextlib.contextmanager
def capture(host, path, expression="udp"):
    """Captures while the block runs; .packets are there after it."""
    taken = Capture(path)
    words = [*host.prefix(), tool("tcpdump"), "-i", host.device, "-w", str(path), "-n",
             "--time-stamp-precision=nano", "-s", str(PACKET_BYTES), "-B", "16384", "-U",
             "-Z", "root", expression]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said = process.stderr.readline()
        while said and "listening on" not in said:
            said = process.stderr.readline()
        assert said, "tcpdump did not begin"
        yield taken
        process.send_signal(signal.SIGINT)
        ending = process.stderr.read()
        process.wait(timeout=DEADLINE_S)
        missing = re.search(r"(\d+) packets dropped by kernel", ending)
        assert missing and missing[1] == "0", f"the capture is not whole: {ending}"
        taken.read()
    finally:
        process.kill()
        process.wait(timeout=DEADLINE_S)
        process.stderr.close()


def wait_for_packets(path, count, deadline_s=DEADLINE_S):
    """Until the file holds at least so many packets (-U writes each as it comes)."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        found = Capture(path)
        with contextlib.suppress(FileNotFoundError, struct.error):
            found.read()
        if len(found.packets) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"fewer than {count} packets were captured within {deadline_s} s")
