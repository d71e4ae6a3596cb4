"""What the tests of the lab share: the lab itself (scripts/lab), a target on its other host, and
why a file is passed over where the lab cannot be opened."""

import sys

import pytest

import harness
from judging import ROOT, strict_json

sys.path.insert(0, str(ROOT / "scripts"))
from lab import hosts  # noqa: E402

SANITIZED = harness.PATIENCE > 1
PORT = 7007


def need_lab(*tools):
    """Passes over the whole file, with the reason, where the lab cannot be opened."""
    if reason := hosts.why_not(*tools):
        pytest.skip(reason, allow_module_level=True)


class FarTarget:
    """`volley target` on a host of the lab; .stop() gives what it counted."""

    def __init__(self, programs, host, *options, port=PORT):
        argv = [*host.prefix(), harness.volley_path(), "target", *options, "--listen",
                f"{host.address}:{port}", "--report", "json"]
        self.process = programs.start(argv)
        harness.wait_until(lambda: "listening" in self.said() or self.process.poll() is not None,
                           "the target's 'listening' line")
        assert self.process.poll() is None, self.said()

    def said(self):
        """Its notes; what goes to its stdout is the report alone."""
        return self.process.err.read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=10 * harness.PATIENCE) == 0, self.said()
        return strict_json(self.process.out.read_bytes())
