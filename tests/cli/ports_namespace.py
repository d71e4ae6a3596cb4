"""Runs inside a network namespace of its own (started by test_connections.py): leaves the kernel a
hundred ports, runs volley in several ways, and prints the reports as JSON."""

import json
import subprocess
import sys
from pathlib import Path


def set_up():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sysctl = Path("/proc/sys/net/ipv4")
    (sysctl / "ip_local_port_range").write_text("40000 40099")
    (sysctl / "tcp_tw_reuse").write_text("0")  # or loopback takes ports out of TIME_WAIT


def report(volley, endpoint, *options):
    done = subprocess.run([volley, "run", endpoint, *options, "--report", "json", "--quiet"],
                          capture_output=True, timeout=60)
    return json.loads(done.stdout)


if __name__ == "__main__":
    set_up()
    volley = sys.argv[1]
    with subprocess.Popen([volley, "target", "--listen", "127.0.0.1:2924"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as target:
        assert target.stdout.readline().startswith("listening")
        churn = ("tcp://127.0.0.1:2924", "--workload", "crr", "--warm-up", "0s")
        wanted = ("--requests", "400", "--duration", "20s")
        stand = ("tcp://127.0.0.1:2924", "--warm-up", "0s")
        answers = {
            "rst": report(volley, *churn, *wanted),
            "source": report(volley, *churn, *wanted, "--close", "fin", "--source", "127.9.0.0/24"),
            "flows": report(volley, *stand, "--flows", "101"),
            "many": report(volley, *stand, "--flows", "300", "--requests", "300", "--source",
                           "127.8.0.0/28"),
            "fin": report(volley, *churn, "--close", "fin", "--duration", "500ms"),
        }
        target.kill()
    print(json.dumps(answers))
