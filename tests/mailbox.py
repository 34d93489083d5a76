"""An SMTP server on the loopback that keeps what it is sent."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

from local_airflow.environment import free_port

if TYPE_CHECKING:
    from email.message import EmailMessage


class Mailbox(Controller):
    """`connection` is how Airflow reaches it, as JSON."""

    def __init__(self):
        self.mails: list[EmailMessage] = []
        super().__init__(self, hostname="127.0.0.1", port=free_port())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def connection(self):
        extra = {"from_email": "airflow@example.com", "disable_ssl": True, "disable_tls": True}
        return json.dumps({"conn_type": "smtp", "host": self.hostname, "port": self.port, "extra": extra})

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  (aiosmtpd's name)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, address):
        """Return the mails to an address, oldest first."""
        return [mail for mail in self.mails if mail["To"] == address]
