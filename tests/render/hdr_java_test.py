"""Our encoded histograms, decoded by HdrHistogram itself (Debian's libhdrhistogram-java)."""

import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("VOLLEY_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ["VOLLEY"]).parent
JARS = [jar for jar in (pathlib.Path("/usr/share/java/HdrHistogram.jar"),
                        pathlib.Path("/usr/share/java/hdrhistogram.jar")) if jar.exists()]

pytestmark = pytest.mark.skipif(shutil.which("javac") is None,
                                reason="no javac (package default-jdk-headless)")


def test_java_reads_every_histogram_exactly_as_we_wrote_it(tmp_path):
    assert JARS, "no HdrHistogram in /usr/share/java: install the package libhdrhistogram-java"
    subprocess.run(["javac", "-cp", JARS[0], "-d", tmp_path,
                    SOURCE / "tests/render/HdrDump.java"], check=True, timeout=90)
    dumped = subprocess.run([BUILD / "tests/render/dump_histograms"], check=True, text=True,
                            capture_output=True, timeout=60).stdout.splitlines()
    encoded, ours = zip(*(line.split("\t") for line in dumped))
    theirs = subprocess.run(["java", "-Xmx256m", "-cp", f"{tmp_path}:{JARS[0]}", "HdrDump"],
                            input="\n".join(encoded) + "\n", check=True, text=True,
                            capture_output=True, timeout=90).stdout.splitlines()
    assert len(theirs) == len(ours) > 60
    for mine, java in zip(ours, theirs):
        assert mine == java
