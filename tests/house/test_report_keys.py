"""docs/report-keys.md is what the schema says, and the schema says of each key when it is null."""

import importlib.machinery
import importlib.util
import json
import shutil
import subprocess

import pytest

from judging import ROOT

PROGRAM = ROOT / "scripts" / "report_keys"
SCHEMA = ROOT / "reports" / "schema" / "report.schema.json"


def program():
    loader = importlib.machinery.SourceFileLoader("report_keys", str(PROGRAM))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("report_keys", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path):
    """The script, the schema and the page in a folder of their own."""
    for file in (PROGRAM, SCHEMA, ROOT / "docs" / "report-keys.md"):
        own = tmp_path / file.relative_to(ROOT)
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, own)
    return tmp_path


def checked(root):
    return subprocess.run([root / "scripts" / "report_keys", "--check"], capture_output=True,
                          text=True, timeout=30, check=False)


def test_the_page_is_what_the_schema_gives(copy):
    assert checked(copy).returncode == 0
    schema = copy / "reports" / "schema" / "report.schema.json"
    schema.write_text(schema.read_text().replace("its version", "whose version"))
    refused = checked(copy)
    assert refused.returncode == 1 and "docs/report-keys.md" in refused.stderr, refused


def rows():
    keys, schema = program(), json.loads(SCHEMA.read_text(encoding="utf-8"))
    definitions = schema["definitions"]
    for part in (schema, *(definitions[name] for name in keys.TITLES)):
        yield from keys.rows(part, "", definitions)


def test_of_each_key_it_is_said_what_it_means_and_when_it_is_null():
    silent = [key for key, what, meaning in rows()
              if not meaning or (" null" in what and "](" not in what and "null" not in meaning)]
    assert silent == []


def test_no_object_of_the_schema_is_left_out():
    left, known = set(), set(program().TITLES)

    def look(part):
        if isinstance(part, dict):
            if "$ref" in part:
                left.add(part["$ref"].rpartition("/")[2])
            for value in part.values():
                look(value)
        elif isinstance(part, list):
            for value in part:
                look(value)

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    look(schema)
    objects = {name for name in left if "properties" in schema["definitions"][name]}
    assert objects == known
