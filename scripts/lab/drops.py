"""Drops that the kernel counts: one nft table per host, a named counter to each rule.

A rule sees the datagrams that its host receives (`input`) and drops some. Whoever sends never
learns of it, as on a network. (Dropping on `output` is something else: then the send call itself
fails with EPERM.) The counters are read back as JSON, and are the truth."""

import json
import re
from dataclasses import dataclass

TABLE = "volley_lab"


@dataclass(frozen=True)
class Pattern:
    """Which of the datagrams a rule drops: an nft expression, and what people call it."""
    text: str
    expression: str


def every(n, offset=0):
    """Each n-th one, beginning with number `offset`."""
    return Pattern(f"every {n}th", f"numgen inc mod {n} == {offset % n}")


def share(of, mod):
    """Each with the probability of / mod, by the kernel's dice."""
    return Pattern(f"{of} in {mod}", f"numgen random mod {mod} < {of}")


def between(first, end):
    """Those with the numbers first <= number < end."""
    return Pattern(f"from {first} to {end}",
                   f"numgen inc mod 1000000000 {first}-{end - 1}")


def all_from(first):
    """All from number `first` on: the tail of a run."""
    return Pattern(f"all from {first}", f"numgen inc mod 1000000000 >= {first}")


def parse(text):
    """1/100: each hundredth. 1%: each with that probability. after:500: all from number 500 on."""
    if match := re.fullmatch(r"1/(\d{1,9})", text):
        return every(int(match[1]), -1)
    if match := re.fullmatch(r"(\d{1,2}(?:\.\d{1,4})?)%", text):
        return share(round(float(match[1]) * 10_000), 1_000_000)
    if match := re.fullmatch(r"after:(\d{1,9})", text):
        return all_from(int(match[1]))
    raise ValueError(f"drop: not a pattern (given '{text}') [1/100, 1%, after:500]")


class Drops:
    """The table of one host. match: 'udp dport 7007' and the like, which says the direction."""

    def __init__(self, host, hook="input"):
        self.host = host
        host.call("nft", "-f", "-", text=(
            f"table inet {TABLE} {{\n chain drops {{\n"
            f"  type filter hook {hook} priority 0; policy accept;\n }}\n}}\n"))

    def add(self, name, match, pattern):
        """Counts what matches as NAME_seen, and drops and counts as NAME what the pattern says."""
        self.host.call("nft", "-f", "-", text=(
            f"add counter inet {TABLE} {name}_seen\n"
            f"add counter inet {TABLE} {name}\n"
            f"add rule inet {TABLE} drops {match} counter name {name}_seen\n"
            f"add rule inet {TABLE} drops {match} {pattern.expression} counter name {name} drop\n"))

    def counts(self, of="packets"):
        """Packets by the counter's name, or their bytes (IP headers included)."""
        listed = json.loads(self.host.call("nft", "-j", "list", "counters", "table", "inet", TABLE))
        counters = [entry["counter"] for entry in listed["nftables"] if "counter" in entry]
        return {counter["name"]: counter[of] for counter in counters}

    def remove(self):
        self.host.call("nft", "delete", "table", "inet", TABLE)
