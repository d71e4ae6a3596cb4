"""The JSON reports against reports/schema/report.schema.json, and the schema itself."""

import copy
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

SOURCE = pathlib.Path(os.environ.get("VOLLEY_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ["VOLLEY"]).parent
SCHEMA = json.loads((SOURCE / "reports/schema/report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def no_constants(name):
    raise ValueError(f"{name} is not JSON")


@pytest.fixture(scope="module", name="samples")
def fixture_samples(tmp_path_factory):
    """Reports as the program writes them, by name."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([BUILD / "tests/samples/write_samples", folder], check=True, timeout=60)
    return {file.stem: json.loads(file.read_text(encoding="utf-8"), parse_constant=no_constants)
            for file in sorted(folder.iterdir())}


def every_schema(schema, place="#"):
    """All schemas within a schema that describe a value."""
    yield place, schema
    for group in ("properties", "definitions"):
        for name, inner in schema.get(group, {}).items():
            yield from every_schema(inner, f"{place}/{group}/{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from every_schema(schema[name], f"{place}/{name}")


def test_the_schema_is_a_draft_07_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def is_key(place):
    return "/properties/" in place and place.split("/")[-2] == "properties"


def test_every_key_is_described_and_every_object_closed():
    for place, schema in every_schema(SCHEMA):
        if is_key(place):
            assert schema.get("description"), place
        if "properties" in schema and "allOf" not in schema:
            assert schema["additionalProperties"] is False, place
            assert set(schema["properties"]) - set(schema["required"]) <= {"udp", "tcp"}, place


def test_keys_that_carry_a_unit_say_so_in_their_description():
    words = {"_ns": "ns", "_s": "s", "_per_s": "1/s", "_bits_per_s": "bit/s", "_ratio": " / "}
    for place, schema in every_schema(SCHEMA):
        name = place.split("/")[-1]
        if "properties" in schema or not is_key(place):
            continue
        unit = next((u for u in sorted(words, key=len, reverse=True) if name.endswith(u)), None)
        if unit:
            assert words[unit] in schema["description"], place


def test_sample_reports_are_valid(samples):
    assert len(samples) > 40
    for name, report in samples.items():
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
                  for e in VALIDATOR.iter_errors(report)]
        assert not errors, (name, errors[:5])


def test_samples_use_every_key_of_the_schema(samples):
    """A key that no sample has a value for would be described but never tested."""
    seen = set()

    def walk(value, place):
        if value is not None:
            seen.add(place)
        for key, inner in value.items() if isinstance(value, dict) else []:
            walk(inner, f"{place}/{key}")
        for inner in value if isinstance(value, list) else []:
            walk(inner, f"{place}/*")

    for report in samples.values():
        walk(report, "")

    def described(schema, place):
        own = schema.get("properties", {})
        while "$ref" in schema or "allOf" in schema:
            name = schema.get("$ref") or schema["allOf"][0]["$ref"]
            schema = SCHEMA["definitions"][name.split("/")[-1]]
        if schema.get("type") != "null":
            yield place
        for key, inner in {**schema.get("properties", {}), **own}.items():
            yield from described(inner, f"{place}/{key}")
        if isinstance(schema.get("items"), dict):
            yield from described(schema["items"], f"{place}/*")

    never = {f"/runs/*/latency_ns/{name}/beyond" for name in ("service", "send_lag")}
    assert set(described(SCHEMA, "")) - seen - never == set()


def key_paths(value, place=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}/{key}"
            yield from key_paths(inner, f"{place}/{key}")


def test_udp_and_tcp_have_the_same_key_paths_but_their_own(samples):
    maps = ("/config/", "/socket_events/", "/unsent/", "/errors/", "/udp", "/tcp", "/target_side/",
            "/loss_by_place/")
    udp, tcp = ({path for path in key_paths(samples[name]["runs"][0])
                 if not any(part in path for part in maps)} for name in ("udp", "tcp"))
    assert udp == tcp
    assert len(udp) > 100


@pytest.mark.parametrize("change", [
    lambda r: r.update(news=1),
    lambda r: r.pop("verdict"),
    lambda r: r.update(schema_version="2.0"),
    lambda r: r.update(error={"code": "x"}),
    lambda r: r["runs"][0].update(tcp={}),
    lambda r: r["runs"][0].pop("udp"),
    lambda r: r["runs"][0]["requests"].update(sent=-1),
    lambda r: r["runs"][0]["requests"].update(sent=1.5),
    lambda r: r["runs"][0]["requests"]["errors"].update(gone=1),
    lambda r: r["runs"][0]["requests"]["errors"].update(refused=0),
    lambda r: r["runs"][0]["latency_ns"]["response"].update(p50="1"),
    lambda r: r["runs"][0]["latency_ns"]["response_delivered"].update(histogram="HISTFAAA"),
    lambda r: r["runs"][0]["latency_ns"]["service"].update(beyond="late"),
    lambda r: r["runs"][0]["udp"].update(figure="text"),
])
def test_the_schema_refuses_what_is_no_report(samples, change):
    report = copy.deepcopy(samples["udp"])
    change(report)
    assert not VALIDATOR.is_valid(report)
