"""volley report: a saved report renders to the very bytes that its run printed."""

import pytest

from harness import run_volley


@pytest.fixture(scope="module", name="saved")
def fixture_saved(tmp_path_factory):
    """A folder with one short run in every format."""
    folder = tmp_path_factory.mktemp("saved")
    result = run_volley("run", "tcp", "--requests", "200", "--warm-up", "0s",
                        "--report", f"json:{folder}/r.json", "--report", f"text:{folder}/r.txt",
                        "--report", f"csv:{folder}/deep/er/r.csv", "--quiet", timeout=30)
    assert result.code == 0, result.stderr
    assert result.stdout == ""
    return folder


def test_renders_the_same_text_json_and_csv(saved, tmp_path):
    again = run_volley("report", saved / "r.json", "--report", f"json:{tmp_path}/r.json",
                       "--report", f"csv:{tmp_path}/r.csv", timeout=30)
    assert again.code == 0, again.stderr
    assert again.stdout == (saved / "r.txt").read_text(encoding="utf-8")
    assert (tmp_path / "r.json").read_bytes() == (saved / "r.json").read_bytes()
    assert (tmp_path / "r.csv").read_bytes() == (saved / "deep/er/r.csv").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"r.json", "r.csv"}


def test_of_no_file_says_which(tmp_path):
    result = run_volley("report", tmp_path / "none.json", timeout=30)
    assert result.code == 1
    assert "none.json: cannot open: No such file or directory" in result.stderr


def test_of_a_cut_file_is_refused(saved, tmp_path):
    (tmp_path / "cut.json").write_bytes((saved / "r.json").read_bytes()[:-40])
    result = run_volley("report", tmp_path / "cut.json", timeout=30)
    assert result.code == 1
    assert "cut.json: not JSON" in result.stderr
    assert result.stdout == ""


def test_of_a_format_that_is_none_is_wrong_use(saved):
    result = run_volley("report", saved / "r.json", "--report", "yaml", timeout=30)
    assert result.code == 2
    assert "unknown format (yaml) [text, " in result.stderr
