"""Completions in the shells themselves, and the manual page in groff: both written from the options
the program has."""

import re
import shutil
import subprocess

import pytest

from harness import run_volley, volley_path


def printed(*words):
    result = run_volley(*words)
    assert result.code == 0 and result.stderr == "", str(result)
    return result.stdout


def commands():
    """command -> its long options, as the help has them."""
    names = re.findall(r"^  ([a-z]+)  ", printed("--help").split("Subcommands:")[1], re.M)
    assert {"run", "duel", "compare", "completion"} <= set(names)
    return {name: re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", printed(name, "--help"), re.M)
            for name in names}


def bash(script):
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def bash_completes(*words):
    listed = " ".join(f"'{w}'" for w in words)
    return bash(f"source <({volley_path()} completion bash); COMP_WORDS=({listed});"
                f"COMP_CWORD={len(words) - 1}; _volley; echo \"${{COMPREPLY[@]}}\"")


def test_bash_completes_commands_options_and_formats():
    known = commands()
    assert bash_completes("volley", "du") == ["duel"]
    assert set(bash_completes("volley", "")) == {*known, "--help", "--version"}
    for command, options in known.items():
        assert sorted(bash_completes("volley", command, "--")) == sorted(options), command
    assert bash_completes("volley", "run", "udp", "--flo") == ["--flows"]
    assert "openmetrics" in bash_completes("volley", "run", "udp", "--report", "open")
    assert set(bash_completes("volley", "compare", "a", "b", "--report", "")) == {"text", "json"}
    assert bash_completes("volley", "run", "udp", "--live", "r") == [], "left to file names"
    assert bash(f"source <({volley_path()} completion bash); complete -p volley") == [
        "complete", "-o", "default", "-F", "_volley", "volley"]


def test_fish_completes_commands_options_and_formats():
    fish = shutil.which("fish")

    def completes(line):
        done = subprocess.run([fish, "--no-config", "-c",
                               f"{volley_path()} completion fish | source; complete -C '{line}'"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return [row.split("\t") for row in done.stdout.splitlines()]

    assert [name for name, _ in completes("volley du")] == ["duel"]
    ((option, said),) = completes("volley run udp --metrics-l")
    assert option == "--metrics-listen" and said.startswith("serve http://HOST:PORT/metrics"), said
    for command, options in commands().items():
        found = [row[0] for row in completes(f"volley {command} --")]
        assert set(options) - {"--help"} <= set(found), command
    assert "openmetrics" in [row[0] for row in completes("volley run udp --report open")]


def test_zsh_takes_the_file_for_a_completion(tmp_path):
    text = printed("completion", "zsh")
    assert text.startswith("#compdef volley\n")
    (tmp_path / "_volley").write_text(text)
    script = (f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -D -u;"
              "print -r -- $_comps[volley];"
              # What _arguments would be given, command by command.
              "_describe() { print -r -- ${(P)2} }; _arguments() { print -rl -- \"$@\" };"
              "words=(volley d); CURRENT=2; autoload +X _volley; _volley;"
              "for c in run compare; do words=(volley $c --); CURRENT=3; _volley; done")
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "_volley" and "duel:Compare UDP with TCP\\: one plan over both" in lines[1]
    given = [line[1:line.index("[")] for line in lines if line.startswith("*--")]
    known = commands()
    assert sorted(given) == sorted(known["run"] + known["compare"])


@pytest.mark.parametrize("words, said", [(("tcsh",), "SHELL: no such choice (tcsh) [bash zsh fish]"),
                                         ((), "SHELL: it is missing")])
def test_no_other_shell(words, said):
    result = run_volley("completion", *words)
    assert result.code == 2 and said in result.stderr, str(result)


@pytest.mark.parametrize("words", [("report", "--schema"), ("manual",), ("completion", "bash")])
def test_what_cannot_be_written_is_told(words):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([volley_path(), *words], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=30)
    assert done.returncode == 1, done
    assert done.stderr == "volley: stdout: cannot be written: No space left on device\n", done


def test_the_manual_page_is_one_that_groff_takes_and_has_every_option():
    text = printed("manual")
    done = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-rLL=100n"], input=text,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done.stderr
    shown = re.sub(r".\x08", "", done.stdout)
    for command, options in commands().items():
        section = re.split(r"^VOLLEY ", shown, flags=re.M)
        (own,) = [s for s in section if s.startswith(f"{command}\n")]
        for option in options:
            assert re.search(rf"^ +(-\w, )?{option}\b", own, re.M), (command, option)
    assert "Exit: 0 done" in shown and "'p99>2ms'" in shown
