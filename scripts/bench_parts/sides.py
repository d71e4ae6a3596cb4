"""Our own sides: volley, and of tests/perf the floor and the null loop."""
import dataclasses
import functools
import json
import os
import subprocess

from .model import Failed, Side, Way

SLACK_S = 40  # what a run may take beyond the time it was given


def volley_json(setting, words, seconds=None):
    """One `volley run`, its report's only run and what the process took."""
    seconds = seconds or setting.seconds
    if "--warm-up" not in words:
        words = [*words, "--warm-up", f"{setting.warm_up_s}s"]
    done = setting.programs.run(
        [setting.build / "volley", "run", *words, "--duration", f"{seconds}s",
         "--report", "json", "--quiet"], seconds + SLACK_S)
    report = json.loads(done.out)
    if report["status"] != "ok" or len(report["runs"]) != 1:
        raise Failed(f"volley: status {report['status']}")
    return report["runs"][0], done


@functools.cache
def knows(volley, option):
    """Whether this build has the option: its `run --help` names it."""
    said = subprocess.run([volley, "run", "--help"], capture_output=True, text=True, timeout=20)
    return f"  {option} " in said.stdout


def volley_rate(setting, words):
    """Answered requests a second (of a stream: received ones) and what else may be asked later.
    Counted from the first one, as the floor and nearly all peers count."""
    run, done = volley_json(setting, [*words, "--warm-up", "0s"])
    response = run["latency_ns"]["response"]
    return {"value": run["load"]["achieved_per_s"],
            "bytes_per_s": run["bytes"]["goodput_bits_per_s"] / 8,
            "loss_ratio": run["requests"]["loss_ratio"],
            "response_p50_ns": response["p50"], "response_p99_ns": response["p99"],
            "wait": run["generator"]["wait"], "cpu_s": done.cpu_s}


def volley_stream(setting, words):
    figures = volley_rate(setting, words)
    return {**figures, "value": figures["bytes_per_s"]}


def volley_side(words, measure=volley_rate, if_known=(), needs=None):
    """`if_known`: an option with its value, added when this build knows it. `needs`: an option
    without which there is nothing to measure."""
    def run(setting):
        volley = setting.build / "volley"
        if needs and not knows(volley, needs):
            raise Failed(f"this build has no {needs}")
        more = if_known if if_known and knows(volley, if_known[0]) else ()
        return measure(setting, [*words.split(), *more])
    return Side("volley", (Way(f"volley run {words}", run),), needed=True)


def volley_pinned_or_not(words, measure=volley_rate, needs=None):
    """Whichever is faster, as with the floor and the peers."""
    return Side("volley", tuple(volley_side(more, measure, needs=needs).ways[0]
                                for more in (words, f"{words} --pin")), needed=True)


def two_cpus():
    """Whether the floor's two processes have all the CPUs there are."""
    return len(os.sched_getaffinity(0)) == 2


def volley_arranged(words):
    """Pinned or not, or with a thread of both ends on each of the two CPUs."""
    side = volley_pinned_or_not(words)
    beside = volley_side(f"{words} --threads 2 --pin").ways if two_cpus() else ()
    return dataclasses.replace(side, ways=side.ways + beside)


def floor_way(words, arrangement, received):
    mode, _, rest = words.partition(" ")

    def run(setting):
        flag = [arrangement] if arrangement else []
        line = setting.programs.run(
            [setting.build / "tests/perf/floor", *flag, mode, setting.seconds, *rest.split()],
            setting.seconds + SLACK_S).out.split()
        # MODE size=S n=N FIGURE UNIT [FIGURE received/s]
        return {"value": float(line[5 if received else 3])}
    return Way(" ".join(filter(None, ("floor", arrangement, words))), run)


def floor_side(words, received=False):
    """`words`: MODE SIZE N. received: count what the sink got instead of what was sent. Two processes,
    pinned or not, whichever is faster."""
    return Side("floor", (floor_way(words, None, received), floor_way(words, "--pin", received)),
                needed=True)


def floor_beside_side(words):
    """The floor arranged as volley_arranged() may be. Nobody is judged by it: goal 4 names the two
    processes. It stands in the table so that both comparisons can be read."""
    return Side("floor --beside", (floor_way(words, "--beside", False),))


def null_loop(setting, *words):
    """p50, p99, p99_9, max (ns) and count."""
    line = setting.programs.run(
        [setting.build / "tests/perf/null_loop", *words, setting.seconds],
        setting.seconds + SLACK_S).out
    return {key: float(value) for key, value in (pair.split("=") for pair in line.split())}
