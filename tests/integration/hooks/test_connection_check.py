"""Trying a connection: who reads what, where; or the cause and the remedy. Over real sockets, never with a secret."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

import pytest

from airflow_provider_comms.comms.settings import ClientSettings
from airflow_provider_comms.hooks.check import check_connection
from airflow_provider_comms.hooks.comms import CommsHook

SECRETS = ("simulated-auth-token", "simulated-api-key-secret", "not-the-secret", "proxy-secret")
SID = "AC" + "5100" * 8


def check(simulator=None, **given):
    """Return whether it is good, what is said, and how long it took."""
    fields = {"username": SID, "password": "simulated-auth-token", "name": "connection comms"}
    if simulator is not None:
        fields["base_url"] = simulator.url
    started = monotonic()
    good, said = check_connection(lambda: ClientSettings(**fields | given))
    assert not [secret for secret in SECRETS if secret in said]
    assert "\n" not in said
    return good, said, monotonic() - started


def as_key(simulator, **given):
    return {"username": simulator.api_key_sid, "password": simulator.api_key_secret, **given}


@contextmanager
def serving(answer, tls=None):
    """A server on loopback that reads a request's head and answers with these bytes, or what makes them."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            if tls is not None:
                try:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                except OSError:
                    return
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer() if callable(answer) else answer)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def own_certificate(folder):
    """A TLS context whose certificate nobody has signed but itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "own.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_success_says_who_reads_what_where(comms_simulator):
    good, said, _ = check(comms_simulator)
    host = comms_simulator.url.removeprefix("http://")
    assert good
    assert said.startswith(f"Account SID AC…5100 can read e-mail and message operations at {host}, 0.")
    assert comms_simulator.request_counts()["by_route"] == {"emails.list": 1, "messages.list": 1}


def test_an_api_key_is_called_one(comms_simulator):
    good, said, _ = check(comms_simulator, **as_key(comms_simulator))
    assert good
    assert said.startswith("API key SK…5100 can read")


def test_both_are_asked_at_the_same_time(comms_simulator):
    comms_simulator.change_settings(latency=0.5)
    good, _, seconds = check(comms_simulator)
    assert good
    assert seconds < 0.95
    assert comms_simulator.request_counts()["max_in_flight"] == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"password": "not-the-secret"}, ("Account SID AC…5100 and this auth token are not accepted", "Copy the auth")),
        (
            {"username": "SK" + "5100" * 8, "password": "not-the-secret"},
            ("API key SK…5100 and this secret are not accepted", "create a new key"),
        ),
    ],
)
def test_a_wrong_secret(comms_simulator, given, says):
    good, said, _ = check(comms_simulator, **given)
    assert not good
    assert all(part in said for part in (*says, "401", "Twilio code 20003"))
    assert said.count("not accepted") == 1


def test_login_and_password_swapped_are_seen_before_anything_is_sent(comms_simulator):
    good, said, _ = check(comms_simulator, username="simulated-auth-token", password=SID)
    assert not good
    assert said.startswith("Login and password are swapped")
    assert SID not in said
    assert comms_simulator.request_counts()["total"] == 0


@pytest.mark.parametrize(
    ("login", "says"),
    [
        ("AC123", "has 5 characters"),
        ("MG" + "5100" * 8, "is a SID of another kind (MG...)"),
        (f" {SID}", "has 35 characters"),
    ],
)
def test_a_login_that_is_no_sid_is_not_sent_to_twilio(login, says):
    good, said, seconds = check(username=login)
    assert not good
    assert says in said
    assert "Nothing was sent" in said
    assert seconds < 1


def test_a_gateway_may_have_logins_of_its_own(comms_simulator):
    _, said, _ = check(comms_simulator, username="gateway-user")
    assert "not accepted" in said
    assert "gateway-user" not in said


def test_a_key_without_the_permission(comms_simulator):
    for resource in ("emails", "messages"):
        comms_simulator.permit(comms_simulator.api_key_sid, resource, allowed=False)
    good, said, _ = check(comms_simulator, **as_key(comms_simulator))
    assert not good
    assert "API key SK…5100 is valid, but lacks the permission" in said
    assert "70051" in said
    assert "standard key" in said
    assert said.count("lacks") == 1


def test_one_resource_readable_is_a_success_with_a_warning(comms_simulator):
    comms_simulator.permit(SID, "messages", allowed=False)
    good, said, _ = check(comms_simulator)
    assert good
    assert "can read e-mail operations at" in said
    assert "Warning: No message operations: Account SID AC…5100 is valid, but lacks the permission" in said


def test_a_name_that_does_not_resolve():
    good, said, _ = check(base_url="https://comms.twilio.invalid")
    assert not good
    assert said.startswith("The name of comms.twilio.invalid cannot be resolved (DNS)")


def test_nobody_listens():
    with serving(b"") as port:
        pass
    good, said, _ = check(base_url=f"http://127.0.0.1:{port}")
    assert not good
    assert said.startswith(f"Nothing listens at 127.0.0.1:{port}")


def test_a_certificate_that_nobody_trusts(tmp_path):
    with serving(b"", tls=own_certificate(tmp_path)) as port:
        good, said, _ = check(base_url=f"https://127.0.0.1:{port}")
    assert not good
    assert said.startswith(f"The certificate of 127.0.0.1:{port} is not trusted (TLS)")
    assert "'CA file'" in said


def test_https_where_http_is_spoken(comms_simulator):
    good, said, _ = check(base_url=comms_simulator.url.replace("http:", "https:"))
    assert not good
    assert said.startswith("TLS with 127.0.0.1")


@pytest.mark.parametrize("target", ["https://comms.twilio.com", "http://comms.example"])
def test_a_proxy_that_refuses(target):
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(refusal) as port:
        good, said, _ = check(base_url=target, proxy=f"http://user:proxy-secret@127.0.0.1:{port}")
    assert not good
    assert said.startswith(f"the proxy 127.0.0.1:{port} rejected the request")
    assert "'Proxy password'" in said


def test_a_proxy_that_is_not_there():
    with serving(b"") as port:
        pass
    _, said, _ = check(base_url="https://comms.twilio.com", proxy=f"http://user:proxy-secret@127.0.0.1:{port}")
    assert said.startswith(f"Nothing listens at the proxy 127.0.0.1:{port}")


def test_a_proxy_of_the_environment_is_named_too(monkeypatch):
    with serving(b"") as port:
        pass
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-secret@127.0.0.1:{port}")
    _, said, _ = check(base_url="https://comms.twilio.com")
    assert said.startswith(f"Nothing listens at the proxy 127.0.0.1:{port}")


def test_a_portal_in_between(comms_simulator):
    comms_simulator.fault("html")
    good, said, _ = check(comms_simulator)
    assert not good
    assert "is not the Comms API" in said
    assert "text/html" in said
    assert "portal" in said


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (503, {}, "503"),
        (429, {"retry_after": 7}, "Test again in 7 s"),
        ("redirect", {"location": "https://elsewhere.example/"}, "a redirect"),
        ("reset", {}, "was closed before the response was complete"),
        ("truncated", {}, "was closed before the response was complete"),
        (404, {}, "404"),
    ],
)
def test_other_trouble_is_asked_about_once_for_each_resource(comms_simulator, kind, fields, says):
    comms_simulator.fault(kind, **fields)
    # A login of its own: a 429 holds up whoever comes after with the same.
    good, said, _ = check(comms_simulator, **as_key(comms_simulator))
    assert not good
    assert says in said
    assert comms_simulator.request_counts()["total"] == 2


def test_silence_ends_in_less_than_ten_seconds(comms_simulator):
    comms_simulator.fault("hang")
    good, said, seconds = check(comms_simulator)
    assert not good
    assert seconds < 9
    assert said.startswith("No complete response from 127.0.0.1")


def test_a_shorter_patience_of_the_connection_is_kept(comms_simulator, monkeypatch):
    comms_simulator.fault("hang")
    connection = json.loads(comms_simulator.connection_json()) | {"extra": {"attempt_timeout": 0.3}}
    monkeypatch.setenv("AIRFLOW_CONN_HASTY", json.dumps(connection))
    started = monotonic()
    good, _ = CommsHook("hasty").test_connection()
    assert not good
    assert monotonic() - started < 3


def test_what_cannot_be_read_from_the_connection_is_the_answer(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps({"conn_type": "twilio_comms", "login": SID, "password": ""}))
    good, said = CommsHook("odd").test_connection()
    assert (good, said.startswith("The password of connection odd is empty.")) == (False, True)
    good, said = CommsHook("there_is_none").test_connection()
    assert (good, "there_is_none" in said) == (False, True)


def test_nothing_in_it_looks_like_rich_text_markup():
    """`airflow connections test` prints the message as markup, which would swallow `[Errno -2]`."""
    _, said, _ = check(base_url="https://comms.twilio.invalid")
    assert "(Errno" in said
    assert "[" not in said


def test_empty_pages_without_end_take_one_request_for_each_resource():
    numbers = count()

    def page():
        body = json.dumps({"operations": [], "pagination": {"next": f"t{next(numbers)}", "self": "t"}}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with serving(page) as port:
        good, said, seconds = check(base_url=f"http://127.0.0.1:{port}")
    assert good, said
    assert next(numbers) == 2
    assert seconds < 5


@pytest.mark.parametrize("password", [f"proxy-secret{one}a" for one in "/#?@:"])
@pytest.mark.parametrize("host", ["127.0.0.1:9", "127.0.0.1:70000"])
def test_a_proxys_password_of_the_environment_is_never_shown(monkeypatch, password, host):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{password}@{host}")
    good, said, _ = check(base_url="https://comms.twilio.com")
    assert not good
    assert "proxy" in said


@pytest.mark.parametrize(
    "odd",
    [
        {"extra": {"proxy": "http://proxy.example:70000"}},
        {"extra": {"proxy": "http://[::1"}},
        {"extra": {"proxy": "http://user@[::1:3128", "proxy_password": "proxy-secret"}},
        {"extra": {"ca_file": "/etc\0"}},
        {"extra": {"ca_file": "/etc"}},
        {"extra": [1]},
        {"host": "http://[::1"},
        {"host": "https://\u2024.example"},
        {"host": f"https://{'a' * 70}.example"},
        {"host": "http://127.0.0.1", "port": 70_000},
        {"login": "AC\ud800", "host": "http://127.0.0.1:9"},
    ],
    ids=str,
)
def test_odd_settings_are_an_answer_not_an_exception(monkeypatch, odd):
    fields = {"conn_type": "twilio_comms", "login": SID, "password": "simulated-auth-token", **odd}
    monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps(fields))
    good, said = CommsHook("odd").test_connection()
    assert (good, "\n" in said, said != "") == (False, False, True)
    assert not [secret for secret in SECRETS if secret in said]


def test_what_nobody_foresaw_is_an_answer_too():
    def read_settings():
        raise RuntimeError("a secrets backend that quotes simulated-auth-token")

    good, said = check_connection(read_settings)
    assert not good
    assert "RuntimeError" in said
    assert "simulated-auth-token" not in said
