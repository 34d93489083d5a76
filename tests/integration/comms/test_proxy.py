"""Through a proxy, and past those that cannot be: its password is shown nowhere."""

from __future__ import annotations

import pytest

from airflow_provider_comms.comms.errors import CommsServerError, CommsSettingsError, CommsUnreachableError

PASSWORD = "prox-y-secret"


@pytest.fixture
def through(make_client, settings_for, raw_server):
    """A client that is to use a proxy."""

    def make(proxy: str, **changes):
        target = raw_server(b"")
        return make_client(settings_for(target, base_url="http://comms.invalid", proxy=proxy, attempts=1, **changes))

    return make


def with_login(url: str) -> str:
    return url.replace("://", f"://me:{PASSWORD}@")


def test_requests_go_through_the_proxy_with_its_own_credentials(through, raw_server, http, operation_json):
    proxy = raw_server(http(200, operation_json()))
    assert through(with_login(proxy.url)).get("emails", operation_json.id).id == operation_json.id
    seen = proxy.exchanges[0]
    assert seen.target == f"http://comms.invalid/v1/Emails/Operations/{operation_json.id}"
    assert seen.header("proxy-authorization").startswith("Basic ")
    assert seen.header("proxy-authorization") != seen.header("authorization")


def test_a_proxy_that_echoes_its_credentials_does_not_betray_them(through, raw_server, http):
    proxy = raw_server(lambda e: e.send(http(502, e.header("proxy-authorization").split()[1].encode())))
    with pytest.raises(CommsServerError) as caught:
        through(with_login(proxy.url)).get("emails", "x")
    assert "bWU6cHJve" not in str(caught.value)


def test_a_proxy_that_refuses_is_unreachable_and_does_not_show_its_password(through, raw_server, http):
    proxy = raw_server(http(407, PASSWORD.encode()))
    client = through(with_login(proxy.url).replace("http:", "http:"), ca_file=None)
    with pytest.raises(Exception) as caught:
        client.get("emails", "x")
    assert type(caught.value).__module__ == "airflow_provider_comms.comms.errors"
    assert PASSWORD not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://no-such-proxy.invalid:3128"])
def test_a_proxy_that_is_not_there_is_unreachable(through, proxy):
    with pytest.raises(CommsUnreachableError) as caught:
        through(with_login(proxy)).get("emails", "x")
    assert PASSWORD not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://proxy.invalid:1080", "http://a b:1", "http://xn--:1"])
def test_a_proxy_that_cannot_be_used_is_a_comms_error_without_its_password(through, proxy):
    with pytest.raises((CommsSettingsError, CommsUnreachableError)) as caught:
        through(with_login(proxy)).get("emails", "x")
    assert PASSWORD not in str(caught.value) + repr(caught.value)


@pytest.fixture
def environment(monkeypatch):
    """The environment's proxies: those that are given, and no others."""

    def take(**variables: str) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return take


def test_a_proxy_of_the_environment_is_used_and_its_password_is_shown_nowhere(
    environment, make_client, settings_for, raw_server, http
):
    proxy = raw_server(lambda exchange: exchange.send(http(502, exchange.header("proxy-authorization").encode())))
    environment(HTTP_PROXY=with_login(proxy.url))
    client = make_client(settings_for(raw_server(b""), base_url="http://comms.invalid", attempts=1))
    with pytest.raises(CommsServerError) as caught:
        client.get("emails", "x")
    assert len(proxy.exchanges) == 1
    assert "bWU6cHJve" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("names", ["comms.invalid", "*", ".invalid", "other.test, comms.invalid"])
def test_a_host_that_no_proxy_names_is_reached_directly(
    *, environment, make_client, settings_for, raw_server, http, names
):
    proxy = raw_server(http(200))
    environment(HTTP_PROXY=proxy.url, NO_PROXY=names)
    client = make_client(settings_for(raw_server(b""), base_url="http://comms.invalid", attempts=1))
    with pytest.raises(CommsUnreachableError):
        client.get("emails", "x")
    assert proxy.exchanges == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{PASSWORD}/x@127.0.0.1:1",
        f"http://me:12/{PASSWORD}@127.0.0.1:1",
        f"http://me:12#{PASSWORD}@127.0.0.1:1",
        f"http://me:12?{PASSWORD}@127.0.0.1:1",
        f"http://me:{PASSWORD}@127.0.0.1:65536",
        f"me:{PASSWORD}/@[::1",
        f"gopher://me:{PASSWORD}@127.0.0.1:1",
    ],
)
def test_a_proxy_of_the_environment_that_cannot_be_is_named_without_its_password(
    environment, make_client, settings_for, raw_server, url
):
    environment(HTTP_PROXY=url)
    client = make_client(settings_for(raw_server(b""), base_url="http://comms.invalid", attempts=1))
    with pytest.raises(CommsSettingsError, match="HTTP_PROXY") as caught:
        client.get("emails", "x")
    shown = str(caught.value) + repr(caught.value)
    assert PASSWORD not in shown
    assert "12" not in shown.replace("127", "").replace("3128", "")
