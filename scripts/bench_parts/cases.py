"""The cases that compare rates: what volley is told, the floor's mode, the peers, the bounds."""
import os

from . import peers, special
from .model import Bound, Case, Side, Way, ahead, ratio
from .sides import (floor_beside_side, floor_side, volley_arranged, volley_pinned_or_not,
                    volley_rate, volley_side, volley_stream)

TEN_MILLION = Bound(
    "≥ 10 M/s or 0.75 × floor, the lower", 1.0,
    lambda figures: figures["volley"]["value"] / min(10e6, 0.75 * figures["floor"]["value"]),
    ("floor",))
CLOSE_RST = ("--close", "rst")  # as the floor does: no port stays behind in TIME_WAIT
STREAM = "tcp --workload stream --size 128KiB"


def threads_side(name, words):
    return Side(name, (Way(f"volley run {words}",
                           lambda setting: volley_rate(setting, words.split())),), needed=True)


def echo_cases():
    return (
        Case("udp-echo-offload", 1, "UDP echo, 64 B, 512 in flight, offload", "round trips/s",
             (volley_side("udp --size 64 --depth 512 --flows 1 --threads 1 --offload on --pin"),
              floor_side("udp-window-gso 64 512"), peers.SOCKPERF_MANY, peers.DNSPERF),
             (TEN_MILLION, ratio("sockperf", 25), ahead("dnsperf"))),
        Case("udp-echo-batch", 1, "the same without offload", "round trips/s",
             (volley_side("udp --size 64 --depth 512 --flows 1 --threads 1 --offload off --pin"),
              floor_side("udp-window 64 512"), peers.SOCKPERF_MANY, peers.DNSPERF),
             (ahead("sockperf"), ahead("dnsperf"))),
    )


def one_way_cases():
    return (
        Case("udp-stream-offload", 2, "UDP one way, 64 B, offload", "received/s",
             (volley_side("udp --workload stream --size 64 --offload on --pin"),
              floor_side("udp-send-gso 64", received=True), peers.IPERF3_UDP,
              peers.SOCKPERF_ONE_WAY),
             (ratio("floor", 0.7), ahead("iperf3"), ahead("sockperf"))),
        Case("udp-stream-batch", 2, "the same without offload", "received/s",
             (volley_side("udp --workload stream --size 64 --offload off --pin"),
              floor_side("udp-send-mmsg 64", received=True), peers.IPERF3_UDP,
              peers.SOCKPERF_ONE_WAY),
             (ratio("floor", 0.95), ahead("iperf3"), ahead("sockperf"))),
        Case("tcp-stream", 6, "TCP one way, 128 KiB a write", "bytes/s",
             (volley_pinned_or_not(STREAM, volley_stream), floor_side("tcp-stream 131072"),
              peers.IPERF3_TCP, peers.NUTTCP),
             (ratio("floor", 0.95), ahead("iperf3"))),
        Case("tcp-stream-discard", 6, "the same, discarded on receive", "bytes/s",
             (volley_pinned_or_not(f"{STREAM} --discard", volley_stream, needs="--discard"),
              floor_side("tcp-stream-discard 131072"), peers.IPERF3_DISCARD, peers.IPERF3_TCP_COPY),
             (ahead("iperf3"), ahead("iperf3 (copying)"))),
    )


def ping_pong_cases():
    return (
        Case("udp-rr", 3, "UDP ping-pong, blocking", "round trips/s",
             (volley_pinned_or_not("udp --wait block"), floor_side("udp-rr"),
              peers.SOCKPERF_BLOCKING, peers.qperf_side("udp_lat"), peers.IRTT),
             (ratio("floor", 0.95), ahead("sockperf"), ahead("qperf"))),
        Case("tcp-rr", 3, "TCP ping-pong, blocking", "round trips/s",
             (volley_pinned_or_not("tcp --wait block"), floor_side("tcp-rr"),
              peers.SOCKPERF_TCP_BLOCKING, peers.qperf_side("tcp_lat")),
             (ratio("floor", 0.95), ahead("sockperf"), ahead("qperf"))),
        Case("udp-rr-spin", 3, "UDP ping-pong, both sides spin", "round trips/s",
             (volley_side("udp --wait spin --pin"), floor_side("udp-rr-spin"),
              peers.SOCKPERF_SPINNING),
             (ratio("floor", 0.85), ahead("sockperf"))),
        Case("tcp-rr-spin", 3, "TCP ping-pong, both sides spin", "round trips/s",
             (volley_side("tcp --wait spin --pin"), floor_side("tcp-rr-spin"),
              peers.SOCKPERF_TCP_SPINNING),
             (ratio("floor", 0.85), ahead("sockperf"))),
    )


def on_one_cpu(side):
    """The side's first way with both its ends on one CPU."""
    def run(setting):
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})  # what it starts inherits that
        try:
            return side.ways[0].run(setting)
        finally:
            os.sched_setaffinity(0, allowed)
    return Side(side.name, (Way(f"{side.ways[0].label}, on one CPU", run),), side.needed)


def one_cpu_cases():
    """Blocking ping-pong without the scheduler's choice between one CPU and two."""
    return tuple(
        Case(f"{case.name}-one-cpu", 3, f"{case.what}, both sides on one CPU", case.unit,
             tuple(on_one_cpu(side) for side in case.sides if side.name != "irtt"), case.bounds,
             long=True)
        for case in ping_pong_cases()[:2])


def tcp_cases():
    return (
        Case("tcp-rr-64", 4, "TCP, 64 connections", "round trips/s",
             (volley_arranged("tcp --flows 64"), floor_side("tcp-many 64 64"),
              floor_beside_side("tcp-many 64 64"), peers.wrk_side(64), peers.redis_side(64)),
             (ratio("floor", 0.95), ahead("wrk"), ahead("redis-benchmark"))),
        Case("tcp-rr-1000", 4, "TCP, 1000 connections", "round trips/s",
             (volley_arranged("tcp --flows 1000"), floor_side("tcp-many 64 1000"),
              floor_beside_side("tcp-many 64 1000"), peers.wrk_side(1000)),
             (ratio("floor", 0.95), ahead("wrk"))),
        Case("tcp-depth-16", 4, "TCP, one connection, 16 in flight", "round trips/s",
             (volley_side("tcp --depth 16"), floor_side("tcp-window 64 16")),
             (ratio("floor", 0.9),)),
        Case("tcp-crr-16", 5, "connect, request, response, close, 16 at once", "connections/s",
             (volley_side("tcp --workload crr --flows 16", if_known=CLOSE_RST),
              floor_side("tcp-crr 64 16"), peers.wrk_side(16, close=True)),
             (ratio("floor", 0.95), ahead("wrk"))),
        Case("tcp-connect-16", 5, "connect, close, 16 at once", "connections/s",
             (volley_side("tcp --workload connect --flows 16", if_known=CLOSE_RST),
              floor_side("tcp-connect 64 16"), peers.wrk_side(16, close=True)),
             (ratio("floor", 0.95), ahead("wrk"))),
    )


def thread_cases():
    udp = "udp --depth 64 --offload off --flows 2 --threads"
    tcp = "tcp --flows 64 --threads"
    return tuple(
        Case(f"threads-{words.split()[0]}", 12, f"{words.split()[0].upper()}, 1 and 2 threads",
             "round trips/s", (threads_side("1 thread", f"{words} 1"),
                               threads_side("2 threads", f"{words} 2")))
        for words in (udp, tcp))


def all_cases():
    return (*echo_cases(), *one_way_cases(), *ping_pong_cases(), *tcp_cases(),
            *special.cases(), *thread_cases(), *one_cpu_cases())
