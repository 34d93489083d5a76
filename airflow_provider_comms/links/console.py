"""The link from a task to Twilio's console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskInstanceKey

CONSOLE = "https://console.twilio.com"
# The console is not known to have a page per operation; messages have a log, for e-mails no address is published.
_PAGES = {"messages": f"{CONSOLE}/us1/monitor/logs/messaging"}


class TwilioConsoleLink(BaseOperatorLink):
    """Lead to where Twilio's console shows what the task is about. Airflow 3 asks for it on the worker, at the end."""

    name = "Twilio Console"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """
        Return the address.

        :param operator: a sensor, operator or trigger of this provider, its templates rendered.
        :param ti_key: of the task instance; Airflow gives it, nothing here depends on it.
        """
        return _PAGES.get(str(operator.resource), CONSOLE)
