# ctest: timeout 180
"""The Debian package: built, installed by dpkg into a system of its own (a layer over this one that
is thrown away), and used there."""

import subprocess
from pathlib import Path

import pytest

from harness import volley_path

BUILD = Path(volley_path()).parent


def done(*words, **kwargs):
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120,
                            **kwargs)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    done("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder)
    (deb,) = folder.glob("*.deb")
    return deb


def test_it_names_what_it_needs_and_brings(package):
    fields = dict(line.split(": ", 1) for line in done("dpkg-deb", "-f", package).splitlines()
                  if line and not line.startswith(" "))
    assert fields["Package"] == "volley" and fields["Section"] == "net"
    version = done(volley_path(), "--version").split()[1]
    assert fields["Version"] == version and package.name.startswith(f"volley_{version}_")
    for library in ("libc6", "libstdc++6", "libfmt9", "zlib1g", "libprometheus-cpp-pull1.0"):
        assert library in fields["Depends"], fields["Depends"]
    files = {line.split()[-1].lstrip(".") for line in done("dpkg-deb", "-c", package).splitlines()}
    assert {"/usr/bin/volley", "/usr/share/man/man1/volley.1", "/usr/share/volley/report.schema.json",
            "/usr/share/volley/dashboards/volley.json", "/usr/share/volley/dashboards/rules.yml",
            "/usr/share/bash-completion/completions/volley", "/usr/share/doc/volley/copyright",
            "/usr/share/zsh/vendor-completions/_volley",
            "/usr/share/fish/vendor_completions.d/volley.fish"} <= files


LAYER = r"""
set -eu
mount -t tmpfs none "$1/layer"
mkdir "$1/layer/upper" "$1/layer/work"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/layer/upper",workdir="$1/layer/work" "$1/root"
"""
INSIDE = LAYER + r"""
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cp "$2" "$1/root/tmp/volley.deb"
ip link set lo up
exec chroot "$1/root" sh -euc '
  dpkg -i /tmp/volley.deb >/dev/null
  command -v volley
  volley run udp --duration 200ms --warm-up 0s --quiet --report json:/tmp/r.json
  volley report --schema | cmp - /usr/share/volley/report.schema.json
  volley report /tmp/r.json --report junit | head -n 1
  man -w volley
  dpkg -r volley >/dev/null
  [ -e /usr/bin/volley ] || echo gone
'
"""


def test_installed_it_works_and_goes_away_again(package, tmp_path):
    (tmp_path / "layer").mkdir()
    (tmp_path / "root").mkdir()
    if subprocess.run(["unshare", "--mount", "--net", "bash", "-c", LAYER, "layer", tmp_path],
                      capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets us mount no layer over the system")
    said = done("unshare", "--mount", "--net", "bash", "-c", INSIDE, "inside", tmp_path,
                package).splitlines()
    assert said == ["/usr/bin/volley", '<?xml version="1.0" encoding="UTF-8"?>',
                    "/usr/share/man/man1/volley.1", "gone"], said
    assert not Path("/usr/bin/volley").exists(), "this system has not been touched"
