"""TLS is verified unless the settings say otherwise; by both clients."""

from __future__ import annotations

import ssl

import pytest

from airflow_provider_comms.comms.errors import CommsCertificateError, CommsSettingsError, CommsUnreachableError
from tests.integration.comms.certificates import write_certificate


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {
        "good": write_certificate(folder, "good", "127.0.0.1"),
        "other host": write_certificate(folder, "other", "127.0.0.2"),
        "expired": write_certificate(folder, "expired", "127.0.0.1", days=-1),
    }


@pytest.fixture
def https(certificates, raw_server, http, operation_json):
    """Make a server that shows a certificate."""

    def make(kind: str):
        path, context = certificates[kind]
        return path, raw_server(http(200, operation_json()), tls=context)

    return make


def test_a_certificate_that_nobody_vouches_for_is_refused(https, make_client, settings_for, operation_json):
    _, server = https("good")
    with pytest.raises(CommsCertificateError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        make_client(settings_for(server)).get("emails", operation_json.id)
    assert "self-signed certificate" in str(caught.value)
    assert "'ca_file'" in caught.value.advice
    assert server.accepted == 1
    assert server.exchanges == []


def test_a_certificate_is_accepted_where_the_file_of_authorities_holds_it(
    https, make_client, settings_for, operation_json
):
    path, server = https("good")
    client = make_client(settings_for(server, ca_file=path))
    assert client.get("emails", operation_json.id).id == operation_json.id


@pytest.mark.parametrize(("kind", "says"), [("other host", "IP address mismatch"), ("expired", "expired")])
def test_a_known_certificate_of_another_host_or_time_is_refused(
    *, https, make_client, settings_for, operation_json, kind, says
):
    path, server = https(kind)
    with pytest.raises(CommsCertificateError, match=says):
        make_client(settings_for(server, ca_file=path)).get("emails", operation_json.id)
    assert server.exchanges == []


def test_without_verification_anything_is_accepted(https, make_client, settings_for, operation_json):
    _, server = https("expired")
    client = make_client(settings_for(server, verify=False))
    assert client.get("emails", operation_json.id).id == operation_json.id


def test_an_old_version_of_tls_is_refused(certificates, raw_server, make_client, settings_for, http):
    path, _ = certificates["good"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.removesuffix(".pem") + ".key")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = raw_server(http(200), tls=context)
    with pytest.raises(CommsUnreachableError):
        make_client(settings_for(server, ca_file=path, attempts=1)).get("emails", "x")


@pytest.mark.parametrize(
    "content", [None, b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_of_authorities_that_is_none_is_named(make_client, settings_for, raw_server, tmp_path, content):
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_bytes(content)
    client = make_client(settings_for(raw_server(b""), ca_file=str(path)))
    with pytest.raises(CommsSettingsError, match=r"authorities\.pem") as caught:
        client.get("emails", "x")
    assert caught.value.advice


def test_plain_text_where_tls_was_asked_for_is_unreachable(raw_server, make_client, settings_for, http):
    server = raw_server(http(200, b"{}"))
    client = make_client(
        settings_for(server, base_url=server.url.replace("http:", "https:"), attempts=1, connect_timeout=0.3)
    )
    with pytest.raises(CommsUnreachableError):
        client.get("emails", "x")
