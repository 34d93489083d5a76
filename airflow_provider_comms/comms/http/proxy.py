"""Which proxy requests go through. The same answer for the client and for whoever explains its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from airflow_provider_comms.comms.settings import check_proxy_url

if TYPE_CHECKING:
    from airflow_provider_comms.comms.settings import ClientSettings


def proxy_url(settings: ClientSettings) -> str | None:
    """
    Return the URL of the proxy: the settings' own, else the environment's (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

    It may hold a password.

    :raises CommsSettingsError: the environment's is not the URL of a proxy.
    """
    target = urlsplit(settings.base_url)
    if settings.proxy or proxy_bypass(target.netloc):
        return settings.proxy
    proxies = getproxies()
    url = proxies.get(target.scheme) or proxies.get("all")
    if not url:
        return None
    url = url if "://" in url else f"http://{url}"
    check_proxy_url(url, f"The proxy that {target.scheme.upper()}_PROXY or ALL_PROXY of the environment names")
    return url


def proxy_name(settings: ClientSettings) -> str | None:
    """Return the proxy's host and port, without its credentials; None if there is no proxy."""
    url = proxy_url(settings)
    return urlsplit(url).netloc.rpartition("@")[2] if url else None
