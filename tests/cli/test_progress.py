"""What a person sees in a terminal while a run goes on: a real one, tmux, read cell by cell."""

import contextlib
import os
import re
import subprocess
import uuid

import pytest

from harness import need, run_volley, volley_path, wait_until

RUN = "run udp --rate 2k --duration 60s --warm-up 0s --interval 100ms"


class Terminal:
    """A shell in a terminal of its own, whose prompt is "ready>"."""

    def __init__(self, columns, **environment):
        self.server = f"volley-{uuid.uuid4().hex}"
        self.columns = columns
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "PS1": "ready>", **environment}
        for name in {"TMUX", "NO_COLOR"} - environment.keys():
            self.environment.pop(name, None)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", 50, "sh", "-i")
        wait_until(lambda: "ready>" in self.screen(), "a prompt")

    def tmux(self, *words):
        done = subprocess.run([need("tmux"), "-L", self.server, *map(str, words)], text=True,
                              env=self.environment, capture_output=True, timeout=10)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def start(self, words):
        self.type(f"clear; {volley_path()} {words}", "Enter")

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def pictures(self):
        """The lines that show progress."""
        return [line for line in self.screen().splitlines()
                if re.search(r"p99 .*lost \d", line) and "volley run" not in line]

    def shows(self, pattern):
        found = []

        def seen():
            found[:] = [line for line in self.pictures() if re.search(pattern, line)]
            return len(found) == 1
        wait_until(seen, pattern)
        return found[0]

    def resize(self, columns):
        self.columns = columns
        self.tmux("resize-window", "-x", columns, "-y", 50)


@pytest.fixture(name="terminal")
def fixture_terminal():
    opened = []

    def open_one(columns, **environment):
        opened.append(Terminal(columns, **environment))
        return opened[-1]
    yield open_one
    for one in opened:
        with contextlib.suppress(AssertionError):
            one.tmux("kill-server")


def test_in_80_columns_there_is_a_bar_a_rate_p99_and_losses(terminal):
    screen = terminal(80)
    screen.start(RUN)
    line = screen.shows(r"[▁▂▃▄▅▆▇█]")
    assert re.search(r"\[[█░]+\] \d+ %", line), line
    assert re.search(r"[\d,]+/s", line) and "s left" in line, line
    assert len(line) < 80, line


def test_in_200_columns_there_is_all_of_it(terminal):
    screen = terminal(200)
    screen.start(RUN)
    line = screen.shows(r"[▁▂▃▄▅▆▇█]{4}  lost")
    assert re.search(r"^measure  \[[█░]{20}\] \d+ %  \d+ s left  [\d,]+/s of 2,000/s  p50 [\d.]+ [um]s  "
                     r"p99 [\d.]+ [um]s  [▁▂▃▄▅▆▇█]+  lost 0$", line), line


def test_a_terminal_without_utf8_gets_ascii(terminal):
    screen = terminal(120, LC_ALL="C")
    screen.start(RUN)
    line = screen.shows(r"p99 [\d.]+ [um]s  [_.=+*%#-]{3}")
    assert line.isascii() and re.search(r"\[[#-]{20}\]", line), line


def test_it_follows_the_window_and_leaves_nothing_behind(terminal):
    screen = terminal(200)
    screen.start(RUN)
    screen.shows(r"[▁▂▃▄▅▆▇█]{10}  lost")
    screen.resize(60)
    wait_until(lambda: [len(line) < 60 for line in screen.pictures()] == [True], "a short line")
    wide = [row for row in screen.screen().splitlines() if row.strip() and "volley" not in row]
    assert len(wide) <= 2, wide  # the line, and what is left of the command that was typed
    screen.resize(200)
    screen.shows(r"p50 .*lost")
    assert len(screen.pictures()) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_leaves_a_clean_line(terminal, times):
    screen = terminal(100)
    screen.start(RUN)
    screen.shows(r"[▁▂▃▄▅▆▇█]")
    screen.type(*["C-c"] * times)
    wait_until(lambda: screen.screen().rstrip().endswith("ready>"), "the prompt")
    text = screen.screen()
    assert "s left  " not in text and "[█" not in text and "[░" not in text, text
    screen.type("echo a$((1))b", "Enter")
    wait_until(lambda: "\na1b\n" in screen.screen(), "an echo in a terminal that still works")


def test_losses_are_red_unless_no_color_is_set(terminal, start_target):
    target = start_target("udp-echo", "--drop", "50%")
    for environment, is_red in (({}, True), ({"NO_COLOR": "1"}, False)):
        screen = terminal(120, **environment)
        screen.start(f"run {target.endpoint('udp')} --rate 500 --duration 60s --warm-up 0s "
                     "--timeout 50ms --interval 200ms")
        screen.shows(r"lost [1-9]")
        assert ("\x1b[31m" in screen.screen("-e")) == is_red


def test_a_dumb_terminal_gets_no_line(terminal):
    screen = terminal(100)
    screen.type("export TERM=dumb", "Enter")
    screen.start("run udp --requests 300 --warm-up 0s --interval 10ms --report csv:/dev/null 2>&1 "
                 "| cat -v; TERM=dumb " + str(volley_path())
                 + " run udp --requests 300 --warm-up 0s --interval 10ms --report csv:/dev/null")
    wait_until(lambda: screen.screen().rstrip().endswith("ready>"), "the prompt")
    assert not screen.pictures() and "^[" not in screen.screen(), screen.screen()


def test_into_a_pipe_it_is_silent():
    result = run_volley("run", "udp", "--duration", "300ms", "--warm-up", "0s", "--interval", "50ms")
    assert result.code == 0 and result.stderr == "", str(result)
