"""Programs that are bounded in time and leave nothing behind.

Each runs in a session of its own, its output in files; whatever happens (a timeout, Ctrl-C, an
error of ours) its whole process group is killed.
"""
import contextlib
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

from .model import Failed

READY_S = 15
GRACE_S = 3


@dataclasses.dataclass(frozen=True)
class Done:
    """cpu_s: of the program and the children it waited for; wall_s: start to end."""
    out: str
    err: str
    cpu_s: float
    wall_s: float


def find(program):
    """Its path, also in /usr/sbin."""
    path = shutil.which(str(program), path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Failed(f"{program} is not there" if "/" in str(program) else
                     f"{program} is not installed (scripts/bench --install)")
    return path


def kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def uninterrupted():
    """Ctrl-C and SIGTERM wait for the end of the block: a program that was started but is not yet
    written down would outlive us."""
    came = []
    before = {number: signal.signal(number, lambda sent, _: came.append(sent))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


class Programs:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []
        self.number = 0

    def start(self, argv):
        self.number += 1
        argv = [str(word) for word in argv]
        argv[0] = find(argv[0])
        out, err = (self.folder / f"{self.number}.{end}" for end in ("out", "err"))
        with open(out, "wb") as out_file, open(err, "wb") as err_file, uninterrupted():
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out_file,
                                       stderr=err_file, start_new_session=True)
            process.out, process.err = out, err
            self.running.append(process)
        return process

    def forget(self, process):
        """Ends its group for certain and gives what it wrote."""
        kill_group(process)
        if process.returncode is None:
            process.wait()
        self.running.remove(process)
        said = tuple(path.read_text(errors="replace") for path in (process.out, process.err))
        process.out.unlink()
        process.err.unlink()
        return said

    def run(self, argv, timeout, codes=(0,)):
        """Runs to the end. Failed when it takes longer than `timeout` seconds or ends with another
        code than these."""
        began = time.monotonic()
        process = self.start(argv)
        late = threading.Timer(timeout, kill_group, [process])
        late.daemon = True  # an interruption while it starts must not wait for its end
        try:
            late.start()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall_s = time.monotonic() - began
        finally:
            late.cancel()
            out, err = self.forget(process)
        name = " ".join(pathlib.Path(str(word)).name for word in argv[:4])
        if wall_s >= timeout:
            raise Failed(f"{name}: no end within {timeout:g} s")
        if process.returncode not in codes:
            raise Failed(f"{name}: exit {process.returncode}: {last_line(err) or last_line(out)}")
        return Done(out, err, usage.ru_utime + usage.ru_stime, wall_s)

    @contextlib.contextmanager
    def server(self, argv, ready, with_signal=signal.SIGTERM):
        """A program that serves until the block ends; `ready(it)` tells when it can. After the
        block .said is what it wrote."""
        process = self.start(argv)
        process.said = ""
        try:
            end = time.monotonic() + READY_S
            while not ready(process):
                if process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"{argv[0]}: it did not start to serve: "
                                 f"{last_line(process.err.read_text(errors='replace'))}")
                time.sleep(0.01)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(with_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=GRACE_S)
            process.said = "\n".join(self.forget(process))

    def end_all(self):
        for process in list(self.running):
            with contextlib.suppress(Exception):
                self.forget(process)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "(it said nothing)"


def free_port():
    """A port of 127.0.0.1 that is free for UDP and TCP, below those that the kernel gives to
    clients, so that none takes it before its server does."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chance = random.SystemRandom()
    for _ in range(200):
        port = chance.randrange(max(2_000, low - 12_000), low)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            return port
    raise Failed("no free port found")


def is_bound(kind, port):
    """From the kernel's own table: unlike a trial connection this leaves no trace in the server."""
    for table in (kind, kind + "6"):
        with contextlib.suppress(FileNotFoundError):
            for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if kind == "tcp" and fields[3] != "0A":
                    continue
                if int(fields[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False
