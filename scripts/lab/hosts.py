"""Two hosts: network namespaces joined by a cable. Their one idea: a host is a process that holds
its namespace and reads from us. However we end, crash and SIGKILL included, it reads the end of
its input and ends too, and the kernel takes namespace, cable, rules and qdiscs away with it. So
nothing has a name that could be left behind."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

TOOLS = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables", "ethtool": "ethtool",
         "tcpdump": "tcpdump", "nsenter": "util-linux", "unshare": "util-linux",
         "setpriv": "util-linux"}
# What keeps the kernel from handing the receiver one large packet in place of many datagrams.
OFFLOADS = ("tx-udp-segmentation", "tcp-segmentation-offload", "generic-segmentation-offload",
            "generic-receive-offload")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SECONDS = 20  # that any tool may take


class Missing(Exception):
    """The lab cannot be opened here, and why."""


def tool(name):
    """The path of a tool of the lab."""
    found = shutil.which(name, path=PATH)
    if not found:
        raise Missing(f"{name} is not installed (Debian package {TOOLS.get(name, name)})")
    return found


def why_not(*names):
    """Why the lab cannot be opened with these tools besides the common ones; None: it can."""
    try:
        for name in ("ip", "nsenter", "unshare", "setpriv", *names):
            tool(name)
    except Missing as missing:
        return str(missing)
    if os.geteuid() != 0:
        return "network namespaces joined by a cable need root"
    tried = subprocess.run([tool("unshare"), "--net", "true"], capture_output=True, timeout=SECONDS)
    if tried.returncode != 0:
        return f"no network namespace: {tried.stderr.decode(errors='replace').strip()}"
    return None


def call(*argv, text=None):
    """Runs a tool to its end and returns what it printed; says what it said when it fails."""
    done = subprocess.run([tool(argv[0]), *(str(word) for word in argv[1:])], text=True,
                          input=text, capture_output=True, timeout=SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with {done.returncode}: "
                           f"{done.stderr.strip()}\n{text or ''}")
    return done.stdout


class Host:
    """One end of the cable: .address, .device, and programs that run there."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.device = f"lab{os.getpid()}{name}"  # at most 15 letters, so 11 of a pid
        self.holder = subprocess.Popen(
            [tool("unshare"), "--net", "sh", "-c", "echo ready; exec cat"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        if self.holder.stdout.readline() != "ready\n":
            raise Missing("a network namespace could not be made")
        self.namespace = f"/proc/{self.holder.pid}/ns/net"

    def prefix(self):
        """The words before a command that run it on this host; it dies with whoever starts it."""
        return [tool("nsenter"), f"--net={self.namespace}", "--", tool("setpriv"), "--pdeathsig",
                "KILL", "--"]

    def call(self, *argv, text=None):
        return call("nsenter", f"--net={self.namespace}", "--", tool(argv[0]), *argv[1:],
                    text=text)

    def ip(self, *words):
        return self.call("ip", *words)

    def link_address(self):
        return json.loads(self.ip("-j", "link", "show", self.device))[0]["address"]

    def without_chatter(self):
        """No IPv6 at the cable: what nobody asked for would be among what queues count."""
        switch = f"/proc/sys/net/ipv6/conf/{self.device}/disable_ipv6"
        self.call("sh", "-c", f"test ! -e {switch} || echo 1 >{switch}")

    def offloads(self, on):
        """Whether large packets leave this host undivided, or as the datagrams they stand for."""
        words = [word for name in OFFLOADS for word in (name, "on" if on else "off")]
        self.call("ethtool", "-K", self.device, *words)

    def losses(self):
        """What this host's kernel threw away for reasons of its own, by kind: those not 0."""
        lost = {}
        lines = Path(f"/proc/{self.holder.pid}/net/snmp").read_text().splitlines()
        names, values = [line.split()[1:] for line in lines if line.startswith("Udp:")]
        udp = dict(zip(names, map(int, values)))
        for name in ("InErrors", "RcvbufErrors", "SndbufErrors", "InCsumErrors", "MemErrors"):
            lost[f"udp {name}"] = udp.get(name, 0)
        for line in Path(f"/proc/{self.holder.pid}/net/dev").read_text().splitlines()[2:]:
            device, _, figures = line.partition(":")
            figures = figures.split()
            lost[f"{device.strip()} receive"] = int(figures[2]) + int(figures[3])
            lost[f"{device.strip()} send"] = int(figures[10]) + int(figures[11])
        return {kind: n for kind, n in lost.items() if n}

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        try:
            self.holder.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.holder.kill()
            self.holder.wait(timeout=5)


@contextlib.contextmanager
def two_hosts(offloads=False):
    """Hosts a and b, 10.66.0.1 and 10.66.0.2, with nothing between them but a cable."""
    with contextlib.ExitStack() as stack:
        hosts = []
        for name, address in (("a", "10.66.0.1"), ("b", "10.66.0.2")):
            hosts.append(Host(name, address))
            stack.callback(hosts[-1].close)
        a, b = hosts
        call("ip", "link", "add", "name", a.device, "netns", a.holder.pid, "type", "veth",
             "peer", "name", b.device, "netns", b.holder.pid)
        for host, other in ((a, b), (b, a)):
            host.without_chatter()
            host.ip("link", "set", "lo", "up")
            host.ip("address", "add", f"{host.address}/24", "dev", host.device)
            host.ip("link", "set", host.device, "up")
            host.ip("neighbour", "replace", other.address, "lladdr", other.link_address(), "dev",
                    host.device, "nud", "permanent")
            if not offloads:
                host.offloads(False)
        yield a, b
