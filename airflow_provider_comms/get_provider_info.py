"""What Airflow reads when it starts: pure data, without heavy imports."""

from __future__ import annotations

from airflow_provider_comms import __version__
from airflow_provider_comms.hooks.fields import CONN_NAME, CONN_TYPE, conn_fields, ui_field_behaviour

_PACKAGE = "airflow_provider_comms"
_INTEGRATION = "Twilio Comms"


def get_provider_info() -> dict[str, object]:
    """Return the provider's description in the form of Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-provider-comms",
        "name": _INTEGRATION,
        "description": "Send with Twilio Communications (Comms), wait for operations, and use their delivery stats.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.twilio.com/docs/comms",
                "tags": ["service"],
            }
        ],
        "connection-types": [
            {
                "connection-type": CONN_TYPE,
                "hook-class-name": f"{_PACKAGE}.hooks.comms.CommsHook",
                "hook-name": CONN_NAME,
                "ui-field-behaviour": ui_field_behaviour(),
                "conn-fields": conn_fields(),
            }
        ],
        "cli": [f"{_PACKAGE}.cli.airflow_commands.get_cli_commands"],
        "hooks": [_modules("hooks.comms")],
        "sensors": [_modules("sensors.operation")],
        "operators": [_modules("operators.stats", "operators.report", "operators.send")],
        "extra-links": [f"{_PACKAGE}.links.console.TwilioConsoleLink"],
        "notifications": [f"{_PACKAGE}.notifications.comms.CommsNotifier"],
        "triggers": [_modules("triggers.operation")],
    }


def _modules(*names: str) -> dict[str, object]:
    return {"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{name}" for name in names]}
