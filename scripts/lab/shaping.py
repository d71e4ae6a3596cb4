"""A narrow wire: token buckets on a host's end of the cable, and what the kernel counted there.

The arithmetic these stand for: a datagram of L bytes of payload takes L + 42 on the wire (Ethernet
14, IPv4 20, UDP 8), so a bucket of `rate` bit/s passes rate / (8 (L + 42)) datagrams a second."""

import json

WIRE_BYTES = 42  # around a UDP payload, as tc counts


def tbf(host, rate_bits, burst_bytes, limit_bytes, device=None):
    """What leaves the host: rate, the bucket's depth, and the room of the queue before it."""
    host.call("tc", "qdisc", "replace", "dev", device or host.device, "root", "handle", "1:", "tbf",
              "rate", f"{rate_bits}bit", "burst", f"{burst_bytes}b", "limit", f"{limit_bytes}b")


def htb(host, rate_bits, queue_bytes):
    """The same as one class of an HTB with a queue that is counted in bytes."""
    device = ("dev", host.device)
    host.call("tc", "qdisc", "replace", *device, "root", "handle", "1:", "htb", "default", "10")
    host.call("tc", "class", "add", *device, "parent", "1:", "classid", "1:10", "htb", "rate",
              f"{rate_bits}bit")
    host.call("tc", "qdisc", "add", *device, "parent", "1:10", "handle", "10:", "bfifo", "limit",
              f"{queue_bytes}b")


def figures(host):
    """What `tc -s` says of each qdisc of the host's end of the cable, by its kind: packets, bytes,
    drops, overlimits, backlog …"""
    listed = json.loads(host.call("tc", "-s", "-j", "qdisc", "show", "dev", host.device))
    return {entry["kind"]: entry for entry in listed}


def clear(host):
    host.call("tc", "qdisc", "del", "dev", host.device, "root")
