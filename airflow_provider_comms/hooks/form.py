"""
The connection form of Airflow before 3.2, made from the same table as the metadata that later versions read.

Airflow 2.11 has real form fields, which check a value when the form is sent. Airflow 3.1 replaces
them by mocks, and uses their label, help, default and kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_comms.hooks.fields import EXTRAS

if TYPE_CHECKING:
    from airflow_provider_comms.hooks.fields import Field


def form_widgets() -> dict[str, object]:
    """
    Return a form field for each field of the extra.

    :raises ImportError: there is no flask-appbuilder and nothing in its place (Airflow 3.0, which then shows the
        extra as JSON).
    """
    return {name: _form_field(field) for name, field in EXTRAS.items()}


def _form_field(field: Field) -> object:
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from flask_babel import lazy_gettext
    from wtforms import BooleanField, IntegerField, PasswordField, StringField

    about: dict[str, Any] = {"description": field.help, "default": field.default}
    label = lazy_gettext(field.label)
    if field.kind == "boolean":
        return BooleanField(label, **about)
    if field.secret:
        return PasswordField(label, widget=BS3PasswordFieldWidget(), **about)
    # Whole seconds: Airflow allows no field for fractions here.
    kind = StringField if field.kind == "string" else IntegerField
    return kind(label, validators=_validators(field), widget=BS3TextFieldWidget(), **about)


def _validators(field: Field) -> list[object]:
    from wtforms.validators import NumberRange, Optional, Regexp

    if field.pattern:
        return [Optional(), Regexp(field.pattern, message=f"Write it like {field.example}.")]
    if field.minimum is not None:
        return [Optional(), NumberRange(min=field.minimum, max=field.maximum)]
    return [Optional()]
