"""What the command-line tests share: starting programs, and ending them for certain.

Facts only: a test waits for a condition with a deadline, never for a time to pass, unless a moment
is what it is about.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from judging import ROOT, check_report, strict_json


def volley_path():
    """The program under test: $VOLLEY, else the release build."""
    path = Path(os.environ.get("VOLLEY", ROOT / "build" / "release" / "volley")).resolve()
    assert path.is_file(), (f"{path}: no such program (built by: cmake --build --preset release; "
                            "or set VOLLEY to another)")
    return path


PATIENCE = int(os.environ.get("VOLLEY_PATIENCE", "1"))  # more under a sanitizer

# ---------------------------------------------------------------------------------------------
# Waiting and ports


def wait_until(condition, what, deadline_s=10.0):
    """Polls `condition` until it gives something true, and returns that."""
    end = time.monotonic() + deadline_s * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s} s for {what}")
        time.sleep(0.005)


def free_port():
    """A port that was free for TCP and UDP on 127.0.0.1 a moment ago, for servers that cannot pick
    one themselves. It lies below the range the kernel gives to clients, so none takes it."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(200):
        port = low - 1 - int.from_bytes(os.urandom(2), "little") % min(12_000, low - 2_000)
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port found")


def is_bound(kind, port):
    """Whether a socket is bound to the port, from the kernel's own table: unlike a test connection
    this leaves no trace in the server."""
    tables = {"udp": ("udp", "udp6"), "tcp": ("tcp", "tcp6")}[kind]
    for table in tables:
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            listening = kind == "udp" or fields[3] == "0A"
            if listening and int(fields[1].rsplit(":", 1)[1], 16) == port:
                return True
    return False


def udp_ask(port, payload, host="127.0.0.1", timeout=5.0):
    """Sends a datagram until an answer comes; None when none does in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        sock.settimeout(0.2)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                sock.send(payload)
                return sock.recv(65_535)
            except (TimeoutError, ConnectionRefusedError):
                continue
    return None


# ---------------------------------------------------------------------------------------------
# Programs


def need(program):
    """The path of a Debian program that a test drives, also when /usr/sbin is not in PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert path, f"{program} is needed: install its Debian package (scripts/test does)"
    return path


class Programs:
    """Starts programs, each in a session of its own with its output in files, and ends them all."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.started = []

    def start(self, argv, **kwargs):
        """Starts `argv`; .out and .err are the files its output goes to."""
        number = len(self.started)
        name = Path(str(argv[0])).name
        out = self.folder / f"{number}-{name}.out"
        err = self.folder / f"{number}-{name}.err"
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            kwargs.setdefault("stdout", out_file)
            kwargs.setdefault("stderr", err_file)
            kwargs.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen([str(a) for a in argv], start_new_session=True, **kwargs)
        process.out, process.err = out, err
        self.started.append(process)
        return process

    def end(self, process):
        """Ends a program and whatever it forked: gently first, so that it reaps its children."""
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def end_all(self):
        for process in reversed(self.started):
            self.end(process)
        self.started.clear()

    def start_ready(self, argv, ready, what, deadline_s=10.0, **kwargs):
        """Starts a program and waits until `ready()`; shows its output when it ends or never is."""
        process = self.start(argv, **kwargs)
        try:
            wait_until(lambda: ready() or process.poll() is not None, what, deadline_s)
            assert process.poll() is None, f"{argv[0]} ended with {process.returncode}"
        except AssertionError as error:
            said = process.out.read_text(errors="replace") + process.err.read_text(errors="replace")
            raise AssertionError(f"{error}; it said:\n{said}") from None
        return process


class Target:
    """A running `volley target`: .udp and .tcp are (host, port), or None when it has none."""

    LINE = re.compile(r"^listening (udp|tcp)://(\[[^\]]+\]|[^:\s]+):(\d+)\s*$", re.MULTILINE)

    def __init__(self, programs, args, prefix=(), **kwargs):
        """`prefix`: words before it, such as a namespace."""
        args = [str(a) for a in args]
        if "--listen" not in args:
            args += ["--listen", "127.0.0.1:0"]
        kinds = {"udp-echo", "udp-sink", "tcp-accept", "tcp-echo", "tcp-sink", "tcp-source"}
        expected = args.count("--listen") * (1 if kinds & set(args) else 2)
        self.programs = programs
        self.proc = programs.start([*prefix, volley_path(), "target", *args], **kwargs)
        wait_until(lambda: len(self.listening()) >= expected or self.proc.poll() is not None,
                   f"{expected} 'listening' lines of volley target {' '.join(args)}")
        assert self.proc.poll() is None, (
            f"volley target {' '.join(args)} ended with {self.proc.returncode}:\n{self.said()}")
        first = {}
        for kind, host, port in self.listening():
            first.setdefault(kind, (host, port))
        self.udp = first.get("udp")
        self.tcp = first.get("tcp")

    def listening(self):
        text = self.proc.out.read_text(errors="replace")
        return [(m[1], m[2].strip("[]"), int(m[3])) for m in self.LINE.finditer(text)]

    def endpoint(self, protocol):
        host, port = getattr(self, protocol)
        return f"{protocol}://[{host}]:{port}" if ":" in host else f"{protocol}://{host}:{port}"

    def said(self):
        return (self.proc.out.read_text(errors="replace")
                + self.proc.err.read_text(errors="replace"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.proc.pid}/fd"))

    def stop(self, with_signal=signal.SIGINT):
        """Asks it to stop and returns its exit code."""
        self.proc.send_signal(with_signal)
        return self.proc.wait(timeout=10)

    def kill(self):
        self.proc.kill()
        self.proc.wait(timeout=10)


# ---------------------------------------------------------------------------------------------
# Runs


class Result:
    """What a finished volley left behind. `.json` parses stdout strictly when asked for."""

    def __init__(self, argv, code, stdout, stderr, seconds):
        self.argv, self.code, self.seconds = argv, code, seconds
        self.stdout_bytes = stdout
        self.stdout = stdout.decode("utf-8", errors="replace")
        self.stderr = stderr.decode("utf-8", errors="replace")

    @property
    def json(self):
        try:
            return strict_json(self.stdout_bytes)
        except ValueError as error:
            raise AssertionError(f"stdout is not one strict JSON value ({error})\n{self}") from None

    @property
    def run(self):
        """The only run of the report."""
        runs = self.json["runs"]
        assert len(runs) == 1, f"{len(runs)} runs\n{self}"
        return runs[0]

    def __str__(self):
        shown = self.stdout if len(self.stdout) < 3000 else self.stdout[:3000] + " …"
        return (f"$ {' '.join(str(a) for a in self.argv)}\nexit {self.code} after "
                f"{self.seconds:.2f} s\n--- stdout\n{shown}\n--- stderr\n{self.stderr}")


def finish(process, argv, timeout, started):
    """Waits for a started volley whose output goes to pipes; kills its whole session at the end."""
    try:
        stdout, stderr = process.communicate(timeout=timeout * PATIENCE)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        hung = Result(argv, "none (killed)", stdout, stderr, time.monotonic() - started)
        raise AssertionError(f"did not end within {timeout} s\n{hung}") from None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return Result(argv, process.returncode, stdout, stderr, time.monotonic() - started)


def start_volley(*args, prefix=(), **kwargs):
    """Starts volley with its output in pipes. `prefix`: words before it, such as a shell."""
    argv = [str(a) for a in (*prefix, volley_path(), *args)]
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True, **kwargs)
    process.argv, process.started = argv, time.monotonic()
    return process


def run_volley(*args, timeout=30.0, prefix=(), **kwargs):
    """Runs volley to its end; fails when it does not end within `timeout` seconds."""
    process = start_volley(*args, prefix=prefix, **kwargs)
    return finish(process, process.argv, timeout, process.started)


def run_json(*args, timeout=30.0, **kwargs):
    """`volley run … --report json`, checked: it succeeded, and its report holds together."""
    result = run_volley("run", *args, "--report", "json", timeout=timeout, **kwargs)
    assert result.code == 0, str(result)
    assert result.json["status"] == "ok", str(result)
    check_report(result.json)
    return result.run


@contextlib.contextmanager
def open_folder():
    """A temporary folder that every user may enter (pytest's own are private)."""
    folder = Path(tempfile.mkdtemp(prefix="volley-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
