"""Programs of others doing the same work, each under the options that are best for it.

Every peer starts its own server for each measurement and ends it after, so that a server that spins
never runs beside somebody else's figures. All figures are per second; "value" counts.
"""
import json
import re
import signal

from .model import Failed, Side, Way
from .processes import free_port, is_bound

SLACK_S = 20
HOST = "127.0.0.1"


def number(pattern, text, who):
    found = re.search(pattern, text)
    if not found:
        raise Failed(f"{who}: no figure in what it printed")
    return float(found[1])


def sockperf(setting, client, server="", received_by_server=False):
    """Round trips a second by its own count of answers and of the time it counts valid; one way,
    what its server counted over the whole time of sending."""
    port, kind = free_port(), "tcp" if "--tcp" in client else "udp"
    seconds = max(1, round(setting.seconds))  # it knows whole ones only
    mode, *options = client.split()
    with setting.programs.server(
            ["sockperf", "sr", "-i", HOST, "-p", port, *server.split()],
            lambda _: is_bound(kind, port), signal.SIGINT) as running:
        done = setting.programs.run(
            ["sockperf", mode, "-i", HOST, "-p", port, "-m", 64, "-t", seconds, *options],
            seconds + SLACK_S)
    if received_by_server:
        got = number(r"Total (\d+) messages received", running.said, "sockperf")
        return {"value": got / seconds}
    valid = r"\[Valid Duration\] RunTime=([\d.]+) sec; SentMessages=\d+; ReceivedMessages=(\d+)"
    found = re.search(valid, done.out)
    if not found:
        raise Failed("sockperf: no figure in what it printed")
    return {"value": float(found[2]) / float(found[1])}


SPINNING = "--nonblocked --timeout 0"


def sockperf_ways(*pairs):
    """Of pairs (what the client does, how the server serves)."""
    return tuple(Way(f"sockperf {client}",
                     lambda setting, c=client, s=server: sockperf(setting, c, s))
                 for client, server in pairs)


SOCKPERF_MANY = Side("sockperf", sockperf_ways(
    (f"pp {SPINNING} -b 64", SPINNING), (f"pp {SPINNING} -b 100", SPINNING), ("pp -b 100", ""),
    (f"pp {SPINNING}", SPINNING), ("ul --mps=max --reply-every=1", "")))
SOCKPERF_BLOCKING = Side("sockperf", sockperf_ways(
    ("pp", ""), ("pp --sender-affinity 0", "--cpu-affinity 1")))
SOCKPERF_SPINNING = Side("sockperf", sockperf_ways(
    (f"pp {SPINNING}", SPINNING),
    (f"pp {SPINNING} --sender-affinity 0", f"{SPINNING} --cpu-affinity 1")))
SOCKPERF_TCP_BLOCKING = Side("sockperf", sockperf_ways(
    ("pp --tcp", "--tcp"), ("pp --tcp --sender-affinity 0", "--tcp --cpu-affinity 1")))
SOCKPERF_TCP_SPINNING = Side("sockperf", sockperf_ways(
    (f"pp --tcp {SPINNING}", f"--tcp {SPINNING}"),
    (f"pp --tcp {SPINNING} --sender-affinity 0", f"--tcp {SPINNING} --cpu-affinity 1")))
SOCKPERF_ONE_WAY = Side("sockperf", tuple(
    Way(f"sockperf tp {more}".strip(),
        lambda setting, m=more: sockperf(setting, f"tp --mps=max {m}", f"--dont-reply {m}", True))
    for more in ("", "--buffer-size 4194304")))


def iperf3(setting, *options, preloaded=None):
    """preloaded: a library for its server, which says how many bytes it discarded."""
    port = free_port()
    seconds = max(1, round(setting.seconds))
    preload = ("env", f"LD_PRELOAD={preloaded}") if preloaded else ()
    with setting.programs.server([*preload, "iperf3", "-s", "-1", "-B", HOST, "-p", port],
                                 lambda _: is_bound("tcp", port)) as server:
        done = setting.programs.run(
            ["iperf3", "-c", HOST, "-p", port, "-t", seconds, "-J", *options], seconds + SLACK_S)
    end = json.loads(done.out)["end"]
    if preloaded:
        discarded = number(r"discarded (\d+) bytes", server.said, "iperf3, preloaded")
        # The short rest of a block is read as any control message and copied.
        if discarded < 0.9 * end["sum_received"]["bytes"]:
            raise Failed("iperf3, preloaded: it copied what it was to discard")
    if "-u" in options:
        got = end["sum"]
        return {"value": (got["packets"] - got["lost_packets"]) / got["seconds"]}
    return {"value": end["sum_received"]["bits_per_second"] / 8}


IPERF3_UDP = Side("iperf3", (Way("iperf3 -u -b 0 -l 64",
                                 lambda setting: iperf3(setting, "-u", "-b", "0", "-l", "64")),))
IPERF3_ARRANGED = ((), ("--zerocopy",), ("-A", "0,1"), ("--zerocopy", "-A", "0,1"))
IPERF3_TCP = Side("iperf3", tuple(
    Way(" ".join(("iperf3", *options)), lambda setting, o=options: iperf3(setting, *o))
    for options in IPERF3_ARRANGED))

# What --discard gains over a program that copies: not the comparison that counts.
IPERF3_TCP_COPY = Side("iperf3 (copying)", IPERF3_TCP.ways)


def iperf3_discard(setting, *options):
    """By its own option, or, where it is too old to have it (before 3.17), by a preloaded library
    that receives in the same way."""
    said = setting.programs.run(["iperf3", "--help"], SLACK_S, codes=(0, 1))
    if "--skip-rx-copy" in said.out + said.err:
        return iperf3(setting, "--skip-rx-copy", *options)
    library = setting.build / "tests/perf/discard_reads.so"
    if not library.exists():
        raise Failed(f"this iperf3 has no --skip-rx-copy, and there is no {library} to preload")
    return iperf3(setting, *options, preloaded=library.resolve())


IPERF3_DISCARD = Side("iperf3", tuple(
    Way(" ".join(("iperf3, discarding", *options)),
        lambda setting, o=options: iperf3_discard(setting, *o))
    for options in IPERF3_ARRANGED))


def nuttcp(setting):
    control, data = free_port(), free_port()
    seconds = max(1, round(setting.seconds))
    with setting.programs.server(["nuttcp", "-S", "--nofork", "-1", "-P", control],
                                 lambda _: is_bound("tcp", control)):
        done = setting.programs.run(
            ["nuttcp", "-P", control, "-p", data, f"-T{seconds}", "-l131072", "-fparse", HOST],
            seconds + SLACK_S)
    return {"value": number(r"rate_Mbps=([\d.]+)", done.out, "nuttcp") * 1e6 / 8}


NUTTCP = Side("nuttcp", (Way("nuttcp -l131072", nuttcp),))


def qperf(setting, *options):
    """It prints half a round trip."""
    port = free_port()
    seconds = max(1, round(setting.seconds))
    with setting.programs.server(["qperf", "-lp", port], lambda _: is_bound("tcp", port)):
        done = setting.programs.run(["qperf", HOST, "-lp", port, "-m", 64, "-t", seconds, "-uu",
                                     *options], seconds + SLACK_S)
    half_ns = number(r"latency\s*=\s*([\d.,]+) ns", done.out.replace(",", ""), "qperf")
    return {"value": 1e9 / (2 * half_ns)}


def qperf_side(test):
    pinned = ("-lca", "0", "-rca", "1")
    return Side("qperf", (
        Way(f"qperf {test}", lambda setting: qperf(setting, test)),
        Way(f"qperf {' '.join(pinned)} {test}", lambda setting: qperf(setting, *pinned, test))))


def irtt(setting):
    """It sends on a timer, so its rate is no figure; one over its mean round trip is."""
    port = free_port()
    with setting.programs.server(["irtt", "server", "-i", "0", "-b", f"{HOST}:{port}"],
                                 lambda _: is_bound("udp", port)):
        done = setting.programs.run(
            ["irtt", "client", "-i", "200us", "-d", f"{setting.seconds}s", "-l", 64, "-Q", "-o",
             "-", f"{HOST}:{port}"], setting.seconds + SLACK_S)
    return {"value": 1e9 / json.loads(done.out)["stats"]["rtt"]["mean"]}


IRTT = Side("irtt", (Way("irtt -i 200us", irtt),))

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type text/plain; return 200 "ok"; }}
  }}
}}
"""


def wrk(setting, connections, *options):
    port = free_port()
    config = setting.folder / "nginx.conf"
    config.write_text(NGINX.format(folder=setting.folder, port=port))
    seconds = max(1, round(setting.seconds))
    with setting.programs.server(["nginx", "-e", "stderr", "-c", config],
                                 lambda _: is_bound("tcp", port)):
        done = setting.programs.run(
            ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", *options,
             f"http://{HOST}:{port}/"], seconds + SLACK_S)
    return {"value": number(r"Requests/sec:\s*([\d.]+)", done.out, "wrk")}


def wrk_side(connections, close=False):
    options = ("-H", "Connection: close") if close else ()
    return Side("wrk", (Way(f"wrk -t 1 -c {connections} {' '.join(options)}".strip(),
                            lambda setting: wrk(setting, connections, *options)),))


def redis_benchmark(setting, connections, *options):
    port = free_port()
    with setting.programs.server(
            ["redis-server", "--port", port, "--bind", HOST, "--save", "", "--appendonly", "no",
             "--dir", setting.folder], lambda _: is_bound("tcp", port)):
        # It counts requests, not seconds: some 100,000 of them take a second.
        done = setting.programs.run(
            ["redis-benchmark", "-h", HOST, "-p", port, "-c", connections, "-d", 64, "-n",
             int(100_000 * setting.seconds), "-t", "ping_mbulk", "--csv", *options],
            10 * setting.seconds + SLACK_S)
    return {"value": number(r'"PING_MBULK","([\d.]+)"', done.out, "redis-benchmark")}


def redis_side(connections):
    return Side("redis-benchmark", (Way(
        f"redis-benchmark -c {connections} -t ping_mbulk",
        lambda setting: redis_benchmark(setting, connections)),))


UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  num-threads: 1
  so-rcvbuf: 4m
  so-sndbuf: 4m
  local-zone: "example.test." static
  local-data: "www.example.test. 3600 IN A 192.0.2.1"
remote-control:
  control-enable: no
"""
NSD = """
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "example.test"
  zonefile: "zone"
"""
ZONE = """$ORIGIN example.test.
@ 3600 IN SOA ns root 1 3600 3600 3600 3600
@ 3600 IN NS ns
ns 3600 IN A 192.0.2.1
www 3600 IN A 192.0.2.1
"""


def dnsperf(setting, server):
    port, folder = free_port(), setting.folder
    config, queries = folder / f"{server}.conf", folder / "queries"
    config.write_text({"unbound": UNBOUND, "nsd": NSD}[server].format(folder=folder, port=port))
    (folder / "zone").write_text(ZONE)
    queries.write_text("www.example.test A\n")
    seconds = max(1, round(setting.seconds))
    with setting.programs.server([server, "-d", "-c", config], lambda _: is_bound("udp", port)):
        done = setting.programs.run(
            ["dnsperf", "-s", HOST, "-p", port, "-d", queries, "-l", seconds, "-q", 512, "-c", 1,
             "-T", 1], seconds + SLACK_S)
    if number(r"Queries completed:\s*(\d+)", done.out, "dnsperf") == 0:
        raise Failed(f"dnsperf: {server} answered nothing")
    return {"value": number(r"Queries per second:\s*([\d.]+)", done.out, "dnsperf")}


DNSPERF = Side("dnsperf", tuple(
    Way(f"dnsperf -q 512, {server}", lambda setting, s=server: dnsperf(setting, s))
    for server in ("nsd", "unbound")))
