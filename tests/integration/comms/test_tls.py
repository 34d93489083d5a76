"""TLS is verified unless the settings say otherwise; by both clients."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_comms.comms.errors import CommsCertificateError, CommsSettingsError, CommsUnreachableError


def write_certificate(folder, name: str, address: str, days: int = 1):
    """A self-signed certificate and its key in one PEM file each."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return str(pem), context


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
