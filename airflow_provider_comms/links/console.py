"""The link from a task to the page where Twilio shows the fate of each e-mail or message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskInstanceKey

CONSOLE = "https://console.twilio.com"
# The console is not known to have a page per operation. It has a log of messages; that of e-mails has no published
# address, but a page which says how to open it.
_PAGES = {
    "messages": f"{CONSOLE}/us1/monitor/logs/messaging",
    "emails": "https://www.twilio.com/docs/email/logs",
}


class TwilioConsoleLink(BaseOperatorLink):
    """
    The button "Twilio logs": the console's log of messages, or Twilio's page on its log of e-mails.

    Airflow 3 asks for the address on the worker, at the end of the task.
    """

    name = "Twilio logs"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """
        Return the address.

        :param operator: a sensor, operator or trigger of this provider, its templates rendered.
        :param ti_key: of the task instance; Airflow gives it, nothing here depends on it.
        """
        return _PAGES.get(str(operator.resource), CONSOLE)
