"""What a response may do to our memory: inflated with a bound, unpacked once, and no cookie kept."""

from __future__ import annotations

import gzip
import resource
import zlib
from functools import cache

import pytest

from airflow_provider_comms.comms.errors import CommsProtocolError, CommsServerError
from airflow_provider_comms.comms.http.body import MAX_SMALL_BODY

MIB = 2**20
GIB = 2**30


@cache
def bomb(size: int, times: int = 1) -> bytes:
    """Some zeros of JSON's white space, packed once or several times."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()
    for _ in range(times - 1):
        body = gzip.compress(body, 9)
    return body


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture
def client_of(make_client, settings_for, raw_server):
    def make(answer):
        return make_client(settings_for(raw_server(answer), attempts=1))

    return make


def test_a_bomb_is_inflated_no_further_than_an_operation_can_be_long(client_of, http, within):
    client = client_of(http(200, bomb(GIB // 4), Content_Encoding="gzip"))
    before = peak_memory()
    with within(8), pytest.raises(CommsProtocolError, match=f"longer than {MAX_SMALL_BODY} bytes") as caught:
        client.get("emails", "x")
    assert peak_memory() - before < 64 * MIB
    assert caught.value.context.operation_id == "x"


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,gzip", "deflate, gzip", "br", "zstd", "GZIP , identity", "x"])
def test_a_stack_of_codings_or_an_unknown_one_is_refused_by_name(client_of, http, within, coding):
    client = client_of(http(200, bomb(GIB // 8, times=2), Content_Encoding=coding))
    with within(8), pytest.raises(CommsProtocolError, match="Content-Encoding") as caught:
        client.get("emails", "x")
    assert "gzip, x-gzip, deflate" in caught.value.message


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " x-gzip", "deflate"])
def test_what_is_packed_once_is_read(client_of, http, operation_json, coding):
    pack = zlib.compress if coding == "deflate" else gzip.compress
    answer = http(200, pack(operation_json()), Content_Encoding=coding)
    assert client_of(answer).get("emails", operation_json.id).id == operation_json.id


def test_only_what_can_be_unpacked_is_asked_for(client_of, http, operation_json, raw_server):
    seen = []
    body = http(200, operation_json())
    client_of(lambda exchange: seen.append(exchange) or exchange.send(body)).get("emails", operation_json.id)
    assert seen[0].header("accept-encoding") == "gzip"


@pytest.mark.parametrize("end", [1, 12, -1])
def test_a_packed_body_that_is_incomplete_is_a_protocol_error(client_of, http, operation_json, end):
    packed = gzip.compress(operation_json())
    with pytest.raises(CommsProtocolError, match="incomplete"):
        client_of(http(200, packed[:end], Content_Encoding="gzip")).get("emails", operation_json.id)


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_an_error_status_counts_although_its_body_cannot_be_read(client_of, http, coding):
    """Else a 503 that stands behind a faulty proxy would not be tried again."""
    with pytest.raises(CommsServerError):
        client_of(http(503, b"not packed", Content_Encoding=coding)).get("emails", "x")


def test_a_huge_error_body_is_not_parsed(client_of, http, within):
    before = peak_memory()
    with within(8), pytest.raises(CommsServerError) as caught:
        client_of(http(500, b"[" + b"[]," * MIB + b"[]]")).get("emails", "x")
    assert peak_memory() - before < 64 * MIB
    assert len(str(caught.value)) < 1500


def test_no_cookie_is_sent_back(client_of, http, operation_json):
    """They would grow with each response: 42 kB of request after 200 of them."""
    heads = []

    def answer(exchange) -> None:
        heads.append(exchange.head)
        cookie = f"session-{exchange.number}={'x' * 200}; Path=/"
        exchange.send(http(200, operation_json(), Set_Cookie=cookie))

    client = client_of(answer)
    for _ in range(20):
        client.get("emails", operation_json.id)
    assert not any(b"cookie" in head.lower() for head in heads)
    assert len(set(map(len, heads))) == 1
