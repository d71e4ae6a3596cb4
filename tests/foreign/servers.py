"""Servers that nobody here wrote, each with its own configuration in a test's folder, on its own
ports of 127.0.0.1, with no trace left behind. Each tells what it counted, where it counts."""

import re
import socket
import subprocess
import threading
from pathlib import Path

from harness import free_port, is_bound, need, udp_ask, wait_until


def socat_udp_echo(programs):
    """One child per peer. cat talks to it over a datagram socket (type 2), because in a pipe two
    datagrams become one. Until the child has its socket connected it may take what others send, so
    this server is for one flow at a time. (RECVFROM,fork loses requests on its own: seen on the
    wire.)"""
    port = free_port()
    programs.start_ready(
        [need("socat"), "-b", "65536", "-T", "30",
         f"UDP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", "EXEC:cat,type=2"],
        lambda: is_bound("udp", port), "socat's UDP socket")
    return f"udp://127.0.0.1:{port}"


def socat_tcp_echo(programs):
    port = free_port()
    programs.start_ready(
        [need("socat"), f"TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,backlog=64,fork", "PIPE"],
        lambda: is_bound("tcp", port), "socat's TCP socket")
    return f"tcp://127.0.0.1:{port}"


class Inetd:
    """inetutils-inetd with its internal echo, discard and chargen services. It finds their ports by
    name only, so it runs in a mount namespace of its own where /etc/services gives high ones."""

    SERVICES = ("echo", "discard", "chargen")

    def __init__(self, programs, folder):
        folder = Path(folder)
        self.ports = {}
        services, config = [], []
        for name in self.SERVICES:
            port = free_port()
            while port in self.ports.values():
                port = free_port()
            self.ports[name] = port
            services += [f"{name} {port}/tcp", f"{name} {port}/udp"]
            config += [f"127.0.0.1:{name} stream tcp nowait.200 root internal",
                       f"127.0.0.1:{name} dgram udp wait root internal"]
        (folder / "services").write_text("\n".join(services) + "\n")
        (folder / "inetd.conf").write_text("\n".join(config) + "\n")
        (folder / "inetd.d").mkdir()
        script = ('mount --bind "$0/services" /etc/services && '
                  'exec "$1" -d --pidfile="$0/inetd.pid" "$0/inetd.conf" "$0/inetd.d"')
        programs.start_ready(
            [need("unshare"), "--map-root-user", "--mount", "sh", "-c", script, folder,
             need("inetutils-inetd")],
            lambda: all(is_bound(kind, port) for port in self.ports.values()
                        for kind in ("udp", "tcp")),
            "inetd's six sockets")

    def endpoint(self, protocol, service):
        return f"{protocol}://127.0.0.1:{self.ports[service]}"


class DatagramAnswerer:
    """A UDP server that answers each datagram with what `answer(n)` gives for the n-th (None: not
    at all), and counts."""

    def __init__(self, answer):
        self.answer = answer
        self.received = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.endpoint = f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(65_535)
            if data == b"end of test" and peer == self.socket.getsockname():
                return
            answer = self.answer(self.received)
            self.received += 1
            if answer is not None:
                self.socket.sendto(answer, peer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"end of test", self.socket.getsockname())
        self.thread.join(timeout=10)
        self.socket.close()


class Redis:
    def __init__(self, programs, folder):
        self.port = free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        programs.start_ready(
            [need("redis-server"), "--port", self.port, "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", folder],
            lambda: is_bound("tcp", self.port), "redis-server's socket")

    def pings(self):
        """Calls of PING by redis' own count; the question itself is an INFO."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            sock.sendall(b"INFO commandstats\r\nQUIT\r\n")
            text = read_all(sock).decode()
        found = re.search(r"^cmdstat_ping:calls=(\d+),", text, re.MULTILINE)
        return int(found[1]) if found else 0


class Nginx:
    CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location = /hello {{ default_type text/plain; return 200 "hello from nginx"; }}
    location = /status {{ stub_status; }}
  }}
}}
"""

    def __init__(self, programs, folder):
        folder = Path(folder)
        self.port = free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        config = folder / "nginx.conf"
        config.write_text(self.CONFIG.format(folder=folder, port=self.port))
        programs.start_ready(
            [need("nginx"), "-c", config, "-p", folder, "-e", folder / "error.log"],
            lambda: is_bound("tcp", self.port), "nginx's socket")

    def get(self, path):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return read_all(sock)

    def requests(self):
        """Requests by nginx' own count, this question included."""
        text = self.get("/status").decode()
        return int(re.search(r"^ \d+ \d+ (\d+) *$", text, re.MULTILINE)[1])


class Unbound:
    CONFIG = """
server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  num-threads: 1
  so-rcvbuf: 4m
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  do-not-query-localhost: yes
  local-zone: "example.test." static
  local-data: "www.example.test. 3600 IN A 192.0.2.1"
remote-control:
  control-enable: yes
  control-interface: {control}
  control-use-cert: no
"""

    def __init__(self, programs, folder, control):
        """`control`: a short path for the control socket (a socket's name has 107 bytes)."""
        folder = Path(folder)
        self.port = free_port()
        self.endpoint = f"udp://127.0.0.1:{self.port}"
        self.config = folder / "unbound.conf"
        self.config.write_text(
            self.CONFIG.format(folder=folder, port=self.port, control=control))
        programs.start_ready(
            [need("unbound"), "-d", "-c", self.config],
            lambda: is_bound("udp", self.port), "unbound's socket", deadline_s=20)
        wait_until(lambda: udp_ask(self.port, dns_query("www.example.test")), "unbound's answer")

    def queries(self):
        """Queries by unbound's own count."""
        text = subprocess.run([need("unbound-control"), "-c", self.config, "stats_noreset"],
                              check=True, capture_output=True, timeout=20).stdout.decode()
        return int(re.search(r"^total\.num\.queries=(\d+)$", text, re.MULTILINE)[1])


def dns_query(name, query_id=0x1234):
    """A question for the IPv4 address of `name`, recursion desired."""
    header = query_id.to_bytes(2, "big") + bytes.fromhex("0100 0001 0000 0000 0000")
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return header + labels + b"\x00" + bytes.fromhex("0001 0001")


def read_all(sock):
    parts = []
    while part := sock.recv(65_536):
        parts.append(part)
    return b"".join(parts)
