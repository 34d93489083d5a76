"""The search that the trials end with finds what it must find."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from urllib.parse import quote

import pytest

from airflow_provider_comms.simulator import Simulator
from trials import secret_search
from trials.secret_search import SecretSearch, basic

SECRET = "a secret/of+32 bytes"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        f'{{"password": "{SECRET}"}}',
        f"https://AC1:{quote(SECRET, safe='')}@example.com",
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_written(written):
    assert SecretSearch({"token": SECRET}).in_bytes(b"before " + written.encode() + b" after") == ["token"]


def test_other_text_is_not():
    assert SecretSearch({"token": SECRET, "header": basic("AC1", SECRET)}).in_bytes(b"PROCESSING 51 %: +//+ ==") == []


def test_a_page_token_of_the_simulator_is_found():
    import httpx

    with Simulator() as simulator:
        simulator.seed("emails", 30)
        login = (simulator.account_sid, simulator.auth_token)
        body = httpx.get(f"{simulator.url}/v1/Emails/Operations", params={"pageSize": 10}, auth=login, trust_env=False)

    search = SecretSearch({})
    assert search.in_bytes(body.content) == ["page token"]
    assert search.in_bytes(quote(body.text, safe="").encode()) == ["page token"]


def test_a_secret_across_two_chunks_of_a_file_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(secret_search, "CHUNK", 20)
    file = tmp_path / "a.log"
    file.write_text(f"12345{SECRET}")

    assert SecretSearch({"token": SECRET}).in_files([file]) == [f"token in {file}"]


def test_a_secret_of_a_process_is_found():
    command = [sys.executable, "-c", "import time; time.sleep(30)"]
    with subprocess.Popen(command, env={**os.environ, "ONE": SECRET}) as process:
        try:
            assert "token in process " in str(SecretSearch({"token": SECRET}).in_processes())
        finally:
            process.kill()
