"""
Arguments that Airflow renders and shows to nobody: recipients and what they are told.

Airflow stores each template field as it was rendered, for its UI. Such an argument reads as a short description
instead, except for what is in it to be rendered: a template in the DAG file, an upstream XCom. Data, which comes from
an XCom or a mapping, is never rendered.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Callable


def describe(value: object) -> object:
    """Say how much there is, and not what."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (str, bytes)):
        return f"<{len(value):,} {'characters' if isinstance(value, str) else 'bytes'}>"
    if is_path(value):
        return str(value)
    return f"<{len(value):,} given>" if isinstance(value, Sized) else f"<{type(value).__name__}>"


def is_template(value: object) -> bool:
    """Whether a text is a Jinja template."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def holds_template(value: object) -> bool:
    """Whether a text is a template, or one in a list or mapping is."""
    return _any(value, is_template)


def is_path(value: object) -> bool:
    """Whether it is a path object: of the file system, or Airflow's ObjectStoragePath, which is none of Python's."""
    return isinstance(value, os.PathLike) or (hasattr(value, "open") and hasattr(value, "suffix"))


class Hidden:
    """
    Such an argument of a mapped task, which Airflow stores with the DAG as what it prints as.

    :param value: the argument.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return str(describe(self.value))


class Unshown:
    """
    Such an argument, as a class's attribute; what it holds is read by :func:`given`.

    :param is_template: whether the argument, as the DAG file gives it, is for Airflow to render. By default, never:
        braces in it are Liquid, for Twilio.
    :param names_file: whether the argument is a file's name, which is no secret and is shown.
    """

    def __init__(
        self, is_template: Callable[[object], bool] = lambda _: False, names_file: Callable[[object], bool] = is_path
    ) -> None:
        self._is_template = is_template
        self._names_file = names_file

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = _slot(name)

    @overload
    def __get__(self, task: None, owner: type) -> Unshown: ...

    @overload
    def __get__(self, task: object, owner: type) -> object: ...

    def __get__(self, task: object | None, owner: type) -> object:
        if task is None:
            return self
        try:
            value, is_data = task.__dict__[self._slot]
        except KeyError:
            raise AttributeError(self._slot) from None
        return self._concealed(value, describe, is_data=is_data)

    def hide(self, value: object) -> object:
        """Return what Airflow may store with the DAG of an argument of a mapped task; setting it undoes that."""
        return self._concealed(value, Hidden, is_data=False)

    def _concealed(self, value: object, conceal: Callable[[object], object], *, is_data: bool) -> object:
        """Return the argument with all but what Airflow is to render concealed."""
        has_templates = not is_data and self._is_template(value)

        def is_shown(one: object) -> bool:
            return _is_reference(one) or (has_templates and is_template(one))

        return value if value is None or self._names_file(value) else _without(value, is_shown, conceal)

    def __set__(self, task: object, value: object) -> None:
        is_data = self._slot in task.__dict__
        # Airflow sets each field that it has rendered, the descriptions too.
        value = _restored(task.__dict__[self._slot][0], value) if is_data else _unhidden(value)
        task.__dict__[self._slot] = (value, is_data)


def given(task: object, name: str) -> Any:
    """Return what such an argument of a task holds."""
    return task.__dict__[_slot(name)][0]


def _slot(name: str) -> str:
    return f"_unshown_{name}"


def _is_reference(value: object) -> bool:
    """Whether it is an upstream XCom, which Airflow puts in its place."""
    return hasattr(value, "iter_references")


def _any(value: object, holds: Callable[[object], bool]) -> bool:
    if isinstance(value, Mapping):
        return any(_any(one, holds) for one in value.values())
    if isinstance(value, (list, tuple)):
        return any(_any(one, holds) for one in value)
    return holds(value)


def _without(value: object, is_shown: Callable[[object], bool], conceal: Callable[[object], object]) -> object:
    if not _any(value, is_shown):
        return conceal(value)
    return _mapped(value, lambda one: _without(one, is_shown, conceal))


def _unhidden(value: object) -> object:
    if isinstance(value, Hidden):
        return value.value
    return _mapped(value, _unhidden) if _any(value, lambda one: isinstance(one, Hidden)) else value


def _mapped(value: object, change: Callable[[object], object]) -> object:
    """Return a mapping or list with its values changed; anything else as it is."""
    if isinstance(value, Mapping):
        return {name: change(one) for name, one in value.items()}
    return [change(one) for one in value] if isinstance(value, (list, tuple)) else value


def _restored(before: object, rendered: object) -> object:
    """Return what was rendered, and in place of each description what it describes."""
    if isinstance(before, Mapping) and isinstance(rendered, Mapping) and before.keys() == rendered.keys():
        return {name: _restored(one, rendered[name]) for name, one in before.items()}
    if isinstance(before, (list, tuple)) and isinstance(rendered, (list, tuple)) and len(before) == len(rendered):
        return [_restored(*pair) for pair in zip(before, rendered, strict=True)]
    return before if isinstance(rendered, str) and rendered == describe(before) else rendered
