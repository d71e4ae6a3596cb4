"""What the machine was, and the results as tables for people: on stdout and in Markdown."""
import os
import pathlib
import platform
import subprocess
import time

BEGIN, END = "<!-- side by side: begin -->", "<!-- side by side: end -->"
HEAD = ("case", "volley", "against", "its figure", "bound", "measured (95 %)", "rounds", "verdict")


def first_line(path, default="unknown"):
    try:
        return pathlib.Path(path).read_text().splitlines()[0]
    except (OSError, IndexError):
        return default


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def load_average():
    return [round(value, 2) for value in os.getloadavg()]


def machine_facts(build):
    version = subprocess.run([build / "volley", "--version"], capture_output=True, text=True,
                             timeout=20).stdout.strip().splitlines()
    return {"volley": version[0] if version else "unknown",
            "kernel": f"{platform.system()} {platform.release()}", "cpu": cpu_model(),
            "cpus": len(os.sched_getaffinity(0)),
            "congestion_control": first_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load_before": load_average(), "load_after": None}


def figure(value):
    """Three digits that count, with a letter for thousands: 12.3 M, 318 k, 0.96."""
    if value is None:
        return "-"
    for letter, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}" if abs(value) < 999.5 * size else \
                f"{value / size:.0f} {letter}"
    return f"{value:.3g}"


def with_spread(side):
    if side["median"] is None:
        return "-"
    return f"{figure(side['median'])} ± {figure(side['spread'])}"


def measured(bound):
    if bound["median"] is None:
        return "-"
    unit = "" if bound["unit"] == "ratio" else f" {bound['unit']}"
    low, high = bound["ci95"]
    digits = ".3f" if bound["unit"] == "ratio" and abs(bound["median"]) < 10 else ".4g"
    return f"{bound['median']:{digits}} ({low:{digits}} to {high:{digits}}){unit}"


def rows_of(result):
    """One row a bound; sides that no bound is about have a row of their own."""
    sides = {side["name"]: side for side in result["sides"]}
    own = sides.get("volley")
    shown = with_spread(own) if own else "-"
    rows, seen = [], {"volley"}
    for bound in result["bounds"]:
        other = sides[bound["against"][0]] if bound["against"] else None
        seen.update(bound["against"])
        verdict = bound["verdict"] + (f" ({bound['why']})" if bound["why"] else "")
        rows.append((result["name"], shown, other["name"] if other else "",
                     with_spread(other) if other else "", bound["text"], measured(bound),
                     str(bound["rounds"]), verdict))
    for name, side in sides.items():
        if name not in seen:
            rows.append((result["name"], shown, name, with_spread(side), "", "",
                         str(len(side["rounds"])), side["why"] or ""))
    if not rows:
        rows.append((result["name"], shown, "", "", "", "", str(result["rounds"]), ""))
    return rows


def all_rows(results):
    return [row for result in results for row in rows_of(result)]


def text_table(results):
    rows = [HEAD, *all_rows(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    return "\n".join(lines)


def facts_line(facts):
    return (f"{facts['volley']}; {facts['kernel']}; {facts['cpus']} × {facts['cpu']}; TCP "
            f"{facts['congestion_control']}; load {facts['load_before'][0]} before, "
            f"{(facts['load_after'] or ['?'])[0]} after; {facts['started_at']}")


def markdown_table(results, facts):
    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    lines = [line(HEAD), "|" + "---|" * len(HEAD), *map(line, all_rows(results)), ""]
    ways = [f"- `{result['name']}`, {result['unit']}: " + "; ".join(
        f"`{side['way']}`" for side in result["sides"]) for result in results]
    return "\n".join([f"Taken with: {facts_line(facts)}.", "", *lines, "What ran:", "", *ways])


def put_between_markers(page, table):
    """The page with the table in place of what stood between the two comments."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
