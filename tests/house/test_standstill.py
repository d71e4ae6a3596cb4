"""The witness of CPUs sees one that stands still, and only then is a check made again."""

import signal
import time

import pytest

import standstill


def test_a_sleeper_that_is_kept_from_its_cpu_is_seen():
    with standstill.Witness() as witness:
        witness.sleepers[0].send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # the standstill itself
        witness.sleepers[0].send_signal(signal.SIGCONT)
    assert 0.045 < witness.late_s


class Saw:
    """A witness that saw a CPU stand still for so long."""

    def __init__(self, late_s):
        self.late_s = late_s

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("late_s, wrong, attempts, passes", (
    (0.001, 1, 1, False),  # the machine was there: volley's own fault
    (0.004, 2, 3, True),
    (0.004, 9, 3, False)))  # as often as it may, and no more
def test_a_check_is_made_again_only_where_a_cpu_stood_still(monkeypatch, late_s, wrong, attempts,
                                                            passes):
    made = []
    monkeypatch.setattr(standstill, "Witness", lambda: Saw(late_s))

    def check(number):
        assert number > wrong

    def attempt():
        made.append(None)
        return len(made)

    if passes:
        standstill.unless_it_stood_still(attempt, check, 0.003, 3)
    else:
        with pytest.raises(AssertionError):
            standstill.unless_it_stood_still(attempt, check, 0.003, 3)
    assert len(made) == attempts
