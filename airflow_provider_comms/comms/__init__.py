"""
Twilio's Comms API in Python: sends, their operations and counters, and a client that keeps to the API's limits.

Knows nothing of Airflow. The names below are loaded when they are asked for, so that a DAG file that needs one of
`resource` does not load an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation, OperationStats
    from airflow_provider_comms.comms.resource import OperationStatus, Resource
    from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend
    from airflow_provider_comms.comms.sending.results import Accepted, Sighting
    from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy, Timeouts

__all__ = (
    "Accepted",
    "AsyncCommsClient",
    "ClientSettings",
    "CommsClient",
    "CommsError",
    "EmailSend",
    "MessageSend",
    "Operation",
    "OperationStats",
    "OperationStatus",
    "Resource",
    "RetryPolicy",
    "Sighting",
    "Timeouts",
)
_MODULES = {
    "client": ("AsyncCommsClient", "CommsClient"),
    "errors": ("CommsError",),
    "models": ("Operation", "OperationStats"),
    "resource": ("OperationStatus", "Resource"),
    "sending.requests": ("EmailSend", "MessageSend"),
    "sending.results": ("Accepted", "Sighting"),
    "settings": ("ClientSettings", "RetryPolicy", "Timeouts"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
