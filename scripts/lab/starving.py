"""Less than a program expects: a share of a CPU, or a clock that began at another time."""

import contextlib
import os
from pathlib import Path

from .hosts import Missing, tool

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 10_000


def other_clock(offset_s):
    """The words before a command that let its monotonic clocks run `offset_s` ahead."""
    return [tool("unshare"), "--time", "--monotonic", str(offset_s), "--boottime", str(offset_s),
            "--fork", "--kill-child", "--"]


@contextlib.contextmanager
def cpu_share(share):
    """A group of processes that get `share` of one CPU (0.1: 1 ms in 10). Gives the words before a
    command that runs it there. Groups of labs that were killed are taken away first."""
    if not (GROUPS / "cpu.cfs_quota_us").exists():
        raise Missing(f"{GROUPS}: no cgroup v1 with a CPU quota")
    for old in GROUPS.glob("volley-lab-*"):
        if not Path(f"/proc/{old.name.rsplit('-', 1)[1]}").exists():
            with contextlib.suppress(OSError):
                old.rmdir()
    group = GROUPS / f"volley-lab-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(max(1_000, round(share * PERIOD_US))))
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (GROUPS / "cgroup.procs").write_text(pid)
        group.rmdir()


def throttled(share_words):
    """How often the group of these words was held back, from the kernel."""
    group = Path(share_words[2].split("> ")[1].split("/cgroup.procs")[0])
    lines = (group / "cpu.stat").read_text().splitlines()
    return int(dict(line.split() for line in lines)["nr_throttled"])
