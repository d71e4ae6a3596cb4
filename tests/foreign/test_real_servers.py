"""redis, nginx and unbound: what volley says it completed is what each server says it answered."""

import tempfile
from pathlib import Path

import pytest

import servers
from harness import run_json

REQUESTS = 20_000


def completed_exactly(run):
    figures = run["requests"]
    assert figures["planned"] == figures["sent"] == figures["completed"] == REQUESTS, figures
    assert figures["errors"] == {} and figures["unsent"] == {} and figures["lost"] == 0, figures


@pytest.mark.parametrize("load", [(), ("--rate", "10k")], ids=["closed", "open"])
def test_redis_counts_the_same_pings(programs, tmp_path, load):
    redis = servers.Redis(programs, tmp_path)
    before = redis.pings()
    run = run_json(redis.endpoint, "--request", r"PING\r\n", "--reply", r"until:\r\n",
                   "--expect", "+PONG", "--flows", "32", "--warm-up", "0s",
                   "--requests", REQUESTS, *load, timeout=60)
    completed_exactly(run)
    assert redis.pings() - before == REQUESTS
    assert run["bytes"]["sent"] == REQUESTS * len("PING\r\n")
    assert run["bytes"]["received"] == REQUESTS * len("+PONG\r\n")


def test_nginx_counts_the_same_requests(programs, tmp_path):
    nginx = servers.Nginx(programs, tmp_path)
    answer = nginx.get("/hello")
    assert answer.endswith(b"hello from nginx")
    before = nginx.requests()
    run = run_json(nginx.endpoint, "--workload", "crr", "--request",
                   r"GET /hello HTTP/1.0\r\n\r\n", "--reply", "close",
                   "--expect", "hello from nginx", "--flows", "4", "--warm-up", "0s",
                   "--requests", REQUESTS, timeout=90)
    completed_exactly(run)
    assert nginx.requests() - before - 1 == REQUESTS  # less the query itself
    assert run["bytes"]["received"] == REQUESTS * len(answer)


@pytest.mark.parametrize("load", [(), ("--rate", "5k")], ids=["closed", "open"])
def test_unbound_counts_the_same_queries(programs, tmp_path, load):
    with tempfile.TemporaryDirectory(prefix="volley-") as short:
        unbound = servers.Unbound(programs, tmp_path, Path(short) / "control")
        query = servers.dns_query("www.example.test")
        before = unbound.queries()
        run = run_json(unbound.endpoint, "--request", "hex:" + query.hex(), "--reply", "any",
                       "--flows", "4", "--warm-up", "0s", "--requests", REQUESTS, *load,
                       timeout=60)
        completed_exactly(run)
        assert unbound.queries() - before == REQUESTS
    assert run["bytes"]["sent"] == REQUESTS * len(query)
    # the question, and one record: a pointer to the name, 10 bytes, an address
    assert run["bytes"]["received"] == REQUESTS * (len(query) + 16)
