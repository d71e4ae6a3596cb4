"""scripts/check_floors finds what it is there to find: each violation is planted in a tree of its own."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "check_floors"

# A house in good order, small: every allowed kind of arrow and every library in its place.
GOOD = {
    "reports/measure/units.hpp": "#include <string>\n",
    "reports/judge/summary.hpp": '#include "reports/measure/units.hpp"\n',
    "reports/render/json.cpp": '#include <nlohmann/json.hpp>\n#include "reports/judge/summary.hpp"\n',
    "targets/wire/frame.hpp": '#include "reports/measure/units.hpp"\n',
    "targets/wire/socket.cpp": '#include <asio.hpp>\n#include "targets/wire/frame.hpp"\n',
    "targets/wire/asio_library.cpp": "#include <asio/impl/src.hpp>\n",
    "targets/serve/loop.hpp": "#include <asio/io_context.hpp>\n",
    "targets/serve/loop.cpp": '#include "targets/serve/loop.hpp"\n',
    "generators/plan/plan.hpp": '#include "targets/wire/frame.hpp"\n',
    "generators/plan/scenario.cpp": "#include <nlohmann/json.hpp>\n",
    "generators/engine/run.cpp": '#include <asio.hpp>\n#include "generators/plan/plan.hpp"\n',
    "generators/campaign/suite.cpp": "#include <benchmark/benchmark.h>\n#include <nlohmann/json.hpp>\n",
    "generators/cli/command.hpp": "#include <CLI/CLI.hpp>\n",
    "generators/cli/main.cpp": '#include "generators/cli/command.hpp"\n',
    "generators/cli/metrics_endpoint.cpp": "#include <prometheus/gauge.h>\n",
    "tests/render/json_test.cpp": '#include <nlohmann/json.hpp>\n#include "reports/render/json.hpp"\n',
    "tests/perf/bench.cpp": '#include <benchmark/benchmark.h>\n#include "reports/measure/units.hpp"\n',
}

# What is planted, and a piece of the complaint.
BAD = {
    "an arrow up": ("reports/measure/up.cpp", '#include "reports/judge/summary.hpp"', "floor 1"),
    "an arrow sideways": ("targets/wire/side.cpp", '#include "reports/judge/summary.hpp"', "sideways"),
    "render sees plan": ("reports/render/p.cpp", '#include "generators/plan/plan.hpp"',
                         "no arrow reports -> generators"),
    "reports see targets": ("reports/render/p.cpp", '#include "targets/wire/frame.hpp"',
                            "no arrow reports -> targets"),
    "targets see generators": ("targets/serve/p.cpp", '#include "generators/plan/plan.hpp"',
                               "no arrow targets -> generators"),
    "engine sees cli": ("generators/engine/p.cpp", '#include "generators/cli/command.hpp"', "floor 5"),
    "the house sees a test": ("reports/measure/t.cpp", '#include "tests/perf/bench.cpp"', "tests"),
    "an arrow written with blanks": ("reports/measure/up.cpp", '  #  include <reports/judge/summary.hpp>',
                                     "floor 1"),
    "a folder without a floor": ("generators/common/x.hpp", "#include <string>", "no floor"),
    "a file that is not there": ("reports/measure/x.cpp", '#include "reports/measure/gone.hpp"',
                                 "no such file"),
    "a path from nowhere": ("reports/measure/x.cpp", '#include "units.hpp"', "root of the tree"),
    "asio in plan": ("generators/plan/x.cpp", "#include <asio.hpp>", "asio is seen only"),
    "asio in wire but not in socket": ("targets/wire/frame.cpp", "#include <asio/ip/udp.hpp>",
                                       "asio is seen only"),
    "asio in cli": ("generators/cli/x.cpp", '#include "asio.hpp"', "asio is seen only"),
    "json in engine": ("generators/engine/x.cpp", "#include <nlohmann/json.hpp>", "nlohmann"),
    "json in cli": ("generators/cli/x.cpp", "#include <nlohmann/json_fwd.hpp>", "nlohmann"),
    "json in plan beside scenario": ("generators/plan/plan.cpp", "#include <nlohmann/json.hpp>",
                                     "nlohmann"),
    "CLI11 in plan": ("generators/plan/x.cpp", "#include <CLI/App.hpp>", "CLI11 is seen only"),
    "prometheus in main": ("generators/cli/main.cpp", "#include <prometheus/gauge.h>", "prometheus"),
    "prometheus in engine": ("generators/engine/x.cpp", "#include <prometheus/counter.h>", "prometheus"),
    "benchmark in a unit test": ("tests/measure/x.cpp", "#include <benchmark/benchmark.h>",
                                 "Google Benchmark is seen only"),
    "json in a test of wire": ("tests/wire/x.cpp", "#include <nlohmann/json.hpp>", "nlohmann"),
    "a header that carries asio out": ("generators/engine/x.cpp", '#include "targets/serve/loop.hpp"',
                                       "carries asio out of targets/serve"),
    "CLI11 carried out of cli": ("tests/engine/x.cpp", '#include "generators/cli/command.hpp"',
                                 "carries CLI11"),
}


def build(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def check(root):
    return subprocess.run([SCRIPT, root], capture_output=True, text=True, timeout=60)


def test_our_own_house_stands():
    result = check(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_house_in_good_order_passes(tmp_path):
    build(tmp_path, GOOD)
    (tmp_path / "reports/render/json.hpp").write_text("#include <string>\n")
    result = check(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "18 files" in result.stdout


@pytest.mark.parametrize("name", BAD)
def test_a_planted_violation_is_found_and_named(tmp_path, name):
    path, line, complaint = BAD[name]
    build(tmp_path, GOOD)
    (tmp_path / "reports/render/json.hpp").write_text("#include <string>\n")
    build(tmp_path, {path: f"// a file\n{line}\n"})
    result = check(tmp_path)
    assert result.returncode == 1, result.stdout
    assert result.stdout.startswith(path), result.stdout
    assert complaint in result.stdout
    assert len(result.stdout.splitlines()) == 1, result.stdout


def test_a_header_that_carries_a_library_through_another_header_is_found(tmp_path):
    build(tmp_path, GOOD)
    (tmp_path / "reports/render/json.hpp").write_text("#include <string>\n")
    build(tmp_path, {"targets/serve/outer.hpp": '#include "targets/serve/loop.hpp"\n',
                     "generators/engine/x.cpp": '#include "targets/serve/outer.hpp"\n'})
    result = check(tmp_path)
    assert result.returncode == 1
    assert "carries asio out of targets/serve" in result.stdout


def test_an_empty_tree_does_not_pass(tmp_path):
    result = check(tmp_path)
    assert result.returncode == 2
    assert "no sources found" in result.stdout
