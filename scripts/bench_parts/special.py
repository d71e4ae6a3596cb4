"""The cases that are no plain rates: pacing against the null loop, response against service time,
start-up, memory, the CPU of an idle generator, five minutes of connections."""
import json
import re
import statistics
import time

from .capture import answer_times_ns
from .model import Bound, Case, Failed, Side, Way, ratio
from .processes import free_port, is_bound
from .sides import SLACK_S, knows, null_loop, volley_json

US = 1_000
MIB = 1 << 20


def side_of(name, label, run):
    return Side(name, (Way(label, run),), needed=True)


# ---- pacing: goal 7


def paced(words):
    def run(setting):
        report, _ = volley_json(setting, words.split())
        lag, load = report["latency_ns"]["send_lag"], report["load"]
        return {"value": lag["p99"] / US, "p50": lag["p50"], "p99": lag["p99"],
                "p99_9": lag["p99_9"],
                "rate_error": abs(load["offered_per_s"] / load["intended_per_s"] - 1)}
    return run


def pacing_case(name, what, rate, words, more_ns, tail):
    def null(setting):
        lags = null_loop(setting, "pace", rate)
        return {"value": lags["p99"] / US, **lags}

    def null_beside_target(setting):
        """The same with the other CPU as busy as in volley's run, where a target spins on it: in a
        virtual machine that alone makes the tail longer."""
        port = free_port()
        target = ["target", "udp-echo", "--listen", f"127.0.0.1:{port}", "--wait", "spin", "--pin",
                  "--quiet"]
        with setting.programs.server([setting.build / "volley", *target],
                                     lambda _: is_bound("udp", port)):
            return null(setting)

    bounds = [
        Bound(f"p99 ≤ null + {more_ns // US} µs", more_ns / US,
              lambda f: (f["volley"]["p99"] - f["null loop"]["p99"]) / US, ("null loop",),
              at_least=False, unit="µs"),
        Bound("rate error ≤ 0.1 %", 0.1, lambda f: f["volley"]["rate_error"] * 100,
              at_least=False, unit="%")]
    beside = "null loop beside a spinning target"
    if tail:
        bounds.insert(1, Bound(
            "p99.9 ≤ 1.5 × null + 10 µs", 10,
            lambda f: (f["volley"]["p99_9"] - 1.5 * f["null loop"]["p99_9"]) / US,
            ("null loop",), at_least=False, unit="µs"))
        bounds.append(Bound(
            "beside a spinning target: p99.9 ≤ 1.5 × null + 10 µs", 10,
            lambda f: (f["volley"]["p99_9"] - 1.5 * f[beside]["p99_9"]) / US,
            (beside,), at_least=False, unit="µs"))
    return Case(name, 7, what, "µs of send lag, p99",
                (side_of("volley", f"volley run {words}", paced(words)),
                 side_of("null loop", f"null_loop pace {rate}", null),
                 side_of("null loop beside a spinning target", f"null_loop pace {rate}",
                         null_beside_target)), tuple(bounds))


def idle_cpu(setting):
    """Share of a CPU that generator and target take together, start and end included."""
    _, done = volley_json(setting, ["udp", "--rate", "1", "--warm-up", "0s"],
                          max(5, setting.seconds))
    return {"value": 100 * done.cpu_s / done.wall_s}


# ---- response time in open loop: goal 8

OPEN = "tcp --size 200 --rate 20k --arrival constant"


def response_p50(words):
    def run(setting):
        report, _ = volley_json(setting, words.split())
        return {"value": report["latency_ns"]["response"]["p50"] / US}
    return run


def service_p50(words):
    def run(setting):
        report, _ = volley_json(setting, words.split())
        return {"value": report["latency_ns"]["service"]["p50"] / US}
    return run


def captured(setting):
    """A blocking run beside a capture: response p50, request to answer p50 on the wire."""
    port, file = free_port(), setting.folder / "lo.pcap"
    words = ["--quiet", "--pin", "tcp-echo", "--listen", f"127.0.0.1:{port}"]
    with setting.programs.server([setting.build / "volley", "target", *words],
                                 lambda _: is_bound("tcp", port)):
        capture = ["tcpdump", "-i", "lo", "-w", file, "--time-stamp-precision=nano", "-B", "65536",
                   "-Z", "root", "tcp", "port", port]
        with setting.programs.server(capture, lambda dump: "listening on" in dump.err.read_text()):
            report, _ = volley_json(setting, [f"tcp://127.0.0.1:{port}", *OPEN.split()[1:],
                                              "--wait", "block", "--pin"])
            time.sleep(1.2)  # tcpdump hands on what it has once a second
    times = answer_times_ns(file.read_bytes(), port)
    file.unlink()
    if len(times) < report["requests"]["completed"] / 2:
        raise Failed(f"capture: only {len(times)} requests with answers in it")
    return {"value": report["latency_ns"]["response"]["p50"] / US,
            "wire": statistics.median(times) / US}


def response_cases():
    spin = "--wait spin --pin"
    return (
        Case("response-spin", 8, "TCP rr, 200 B, open loop 20 k/s, spinning: response p50", "µs",
             (side_of("volley", f"volley run {OPEN} {spin}", response_p50(f"{OPEN} {spin}")),
              side_of("closed loop", f"volley run tcp --size 200 {spin}",
                      service_p50(f"tcp --size 200 {spin}"))),
             (Bound("≤ 1.15 × closed-loop service p50", 1.15,
                    lambda f: f["volley"]["value"] / f["closed loop"]["value"], ("closed loop",),
                    at_least=False),)),
        Case("response-block", 8, "the same, blocking, beside a capture", "µs",
             (side_of("volley", f"volley run {OPEN} --wait block --pin, captured", captured),
              side_of("wake-up", "null_loop wake",
                      lambda setting: {"value": null_loop(setting, "wake")["p50"] / US})),
             (Bound("≤ 1.15 × (captured p50 + wake-up p50)", 1.15,
                    lambda f: f["volley"]["value"] / (f["volley"]["wire"] + f["wake-up"]["value"]),
                    ("wake-up",), at_least=False),)),
    )


# ---- start-up and memory: goal 11


def help_ms(*words):
    def run(setting):
        took = [setting.programs.run([setting.build / "volley", *words], SLACK_S).wall_s
                for _ in range(20)]
        return {"value": statistics.median(took) * 1000}
    return run


def resident_mib(times):
    """The most that generator or target ever held, whichever is larger (`time` waits for both), in
    a run so many times as long as a measurement."""
    def run(setting):
        seconds = times * setting.seconds
        words = "udp --size 64 --depth 512 --offload on --pin --warm-up 300ms"
        file = setting.folder / "resident"
        done = setting.programs.run(
            ["time", "-f", "%M", "-o", file, setting.build / "volley", "run", *words.split(),
             "--duration", f"{seconds}s", "--report", "json", "--quiet"], seconds + SLACK_S)
        if json.loads(done.out)["status"] != "ok":
            raise Failed("volley: the run failed")
        return {"value": int(re.findall(r"\d+", file.read_text())[-1]) * 1024 / MIB}
    return run


def start_cases():
    fast = (Bound("< 20 ms", 20, lambda f: f["volley"]["value"], at_least=False, unit="ms"),)
    return (
        Case("help", 11, "volley --help", "ms",
             (side_of("volley", "volley --help", help_ms("--help")),), fast),
        Case("run-help", 11, "volley run --help", "ms",
             (side_of("volley", "volley run --help", help_ms("run", "--help")),), fast),
        Case("memory", 11, "resident memory of the fastest UDP echo, a long and a short run", "MiB",
             (side_of("volley", "30 × --seconds", resident_mib(30)),
              side_of("short run", "5 × --seconds", resident_mib(5))),
             (Bound("< 64 MiB", 64, lambda f: f["volley"]["value"], at_least=False, unit="MiB"),
              Bound("long ≤ short + 1 MiB", 1,
                    lambda f: f["volley"]["value"] - f["short run"]["value"], ("short run",),
                    at_least=False, unit="MiB")), rounds=3),
    )


# ---- what accounting costs: goal 10


def accounting_ns(setting, batch=64):
    """CPU of booking, matching and judging a datagram in such batches, by the thread's own clock:
    the engine's steps over a fake link, less the fake link. The dearer of both loops."""
    program = setting.build / "tests/perf/volley_bench"
    done = setting.programs.run(
        [program, f"--benchmark_filter=^account.*/{batch}$", "--benchmark_format=json",
         f"--benchmark_min_time={setting.seconds / 4}"], 10 * setting.seconds + SLACK_S)
    each = {run["name"]: run["cpu_time"] / batch for run in json.loads(done.out)["benchmarks"]}
    link = each.pop(f"account_fake_link/{batch}")
    return {"value": max(each.values()) - link, **each}


def accounting_share(setting):
    """What that is of a CPU at the rate without offload, if each datagram were booked by itself in
    the ping-pong and in batches where there are many in flight. The dearer of both."""
    def share(batch, words):
        rate = volley_json(setting, words.split())[0]["load"]["achieved_per_s"]
        return accounting_ns(setting, batch)["value"] * rate / 1e7

    shares = {"many": share(64, "udp --depth 512 --offload off --pin"),
              "ping_pong": share(1, "udp --wait spin --pin")}
    return {"value": max(shares.values()), **shares}


# ---- intervals and the stream of them: goal 13


def with_intervals(*words):
    def run(setting):
        report, _ = volley_json(setting, ["udp", "--flows", "4", "--depth", "64", *words])
        return {"value": report["load"]["achieved_per_s"]}
    return run


def intervals_case(name, what, *words):
    """Intervals of 100 ms, told to somebody by these words, beside a run of one interval."""
    words = ("--interval", "100ms", *words)
    one = ("--interval", "1h")
    return Case(name, 13, f"UDP rr with offload, {what} every 100 ms", "answers/s",
                (side_of("volley", f"volley run udp {' '.join(words)}", with_intervals(*words)),
                 side_of("one interval", f"volley run udp {' '.join(one)}", with_intervals(*one))),
                (ratio("one interval", 0.98),))


# ---- memory of held connections: goal 9

HELD = (1_000, 5_000, 19_900)


def held_bytes(setting):
    """Own bytes a connection, of generator and target, at each of the numbers held."""
    figures = {}
    for flows in HELD:
        report, _ = volley_json(setting, ["tcp", "--workload", "hold", "--flows", str(flows)])
        hold = report["hold"]
        if hold["held_at_end"] != flows:
            raise Failed(f"hold: {hold['held_at_end']} of {flows} connections")
        for side in ("generator", "target"):
            figures[f"{side}_{flows}"] = hold[f"{side}_bytes_per_connection"]
    return {"value": max(figures.values()), **figures}


def growth(figures):
    """The most connections against the fewest, the side that grew more."""
    return max(figures[f"{side}_{HELD[-1]}"] / figures[f"{side}_{HELD[0]}"]
               for side in ("generator", "target"))


# ---- five minutes of connections: goal 5


def connections_for_long(setting):
    """Never out of ports: what could not be sent, by kind, is to be nothing."""
    close = ["--close", "rst"] if knows(setting.build / "volley", "--close") else []
    report, _ = volley_json(setting, ["tcp", "--workload", "crr", "--flows", "16", *close],
                            150 * setting.seconds)
    requests = report["requests"]
    return {"value": report["load"]["achieved_per_s"],
            "failed": sum(requests["unsent"].values()) + sum(requests["errors"].values())}


def cases():
    rate = "--arrival constant --pin --wait spin --rate"
    return (
        pacing_case("pace-100k", "UDP rr, constant 100 k/s", 100_000,
                    f"udp {rate} 100k", 5 * US, tail=True),
        pacing_case("pace-1M", "UDP rr, constant 1 M/s, offload", 1_000_000,
                    f"udp --offload on {rate} 1M", 20 * US, tail=False),
        Case("idle-cpu", 7, "CPU at 1 request/s, generator and target", "% of a CPU",
             (side_of("volley", "volley run udp --rate 1", idle_cpu),),
             (Bound("< 1 %", 1, lambda f: f["volley"]["value"], at_least=False, unit="%"),),
             rounds=5),
        *response_cases(), *start_cases(),
        Case("accounting", 10, "matching, histograms and accounting of a datagram", "ns of CPU",
             (side_of("volley", "volley_bench, batches of 64", accounting_ns),),
             (Bound("≤ 10 ns", 10, lambda f: f["volley"]["value"], at_least=False, unit="ns"),)),
        Case("accounting-share", 10, "the same of a CPU, at the rate without offload", "%",
             (side_of("volley", "volley_bench × volley run udp", accounting_share),),
             (Bound("≤ 2 %", 2, lambda f: f["volley"]["value"], at_least=False, unit="%"),),
             rounds=5),
        intervals_case("intervals", "a line", "--live", "/dev/null"),
        intervals_case("metrics-listen", "metrics made ready", "--metrics-listen", "127.0.0.1:0"),
        Case("hold-memory", 9, "1,000, 5,000 and 19,900 connections held: own bytes of each, the "
             "most of both sides", "bytes",
             (side_of("volley", "volley run tcp --workload hold", held_bytes),),
             (Bound("≤ 1 KiB", 1024, lambda f: f["volley"]["value"], at_least=False, unit="bytes"),
              Bound("19,900 ≤ 1.1 × 1,000", 1.1, lambda f: growth(f["volley"]), at_least=False)),
             rounds=5),
        Case("crr-5min", 5, "five minutes of crr, 16 at once", "connections/s",
             (side_of("volley", "volley run tcp --workload crr, 150 × --seconds",
                      connections_for_long),),
             (Bound("nothing failed", 0, lambda f: f["volley"]["failed"], at_least=False,
                    unit="requests"),), rounds=1, long=True),
    )
