"""The parts of the docs that the code knows better, made of it: `python -m tests.unit.test_docs` writes them."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_comms import exceptions
from airflow_provider_comms.cli.exits import Exit
from airflow_provider_comms.comms import errors
from airflow_provider_comms.get_provider_info import get_provider_info
from airflow_provider_comms.hooks.fields import EXTRAS, STANDARD
from airflow_provider_comms.simulator.control import ROUTES

TABLE = re.compile(r"<!-- (\w+): begin -->\n.*?<!-- \1: end -->", re.DOTALL)
PARAMETER = re.compile(r"^:param (\w+): (.*?)(?=^:|^$|\Z)", re.MULTILINE | re.DOTALL)
RETURN = re.compile(r"^:return: (.*?)(?=^:|^$|\Z)", re.MULTILINE | re.DOTALL)


def with_tables(text):
    """Return the page with its tables made anew."""

    def table(match):
        name = match[1]
        if name.startswith("scale_"):
            return match[0]  # The benchmarks write and check these.
        return "\n".join([f"<!-- {name}: begin -->", *TABLES[name](), f"<!-- {name}: end -->"])

    return TABLE.sub(table, text)


def extras_table():
    lines = ["| name | is | default | from | to |", "|---|---|---|---|---|"]
    for name, field in EXTRAS.items():
        bounds = ("" if one is None else one for one in (field.default, field.minimum, field.maximum))
        lines.append(f"| `{name}` | {field.help} | {' | '.join(map(str, bounds))} |")
    return lines


def fields_table():
    lines = ["| field | shown as | in Twilio's console | example |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {field.label} | {field.where} | {field.example} |" for name, field in STANDARD.items()]
    return lines


def exits_table():
    return ["| status | when |", "|---|---|", *(f"| {int(one)} | {one.meaning} |" for one in Exit)]


def control_table():
    lines = ["| request | takes | gives or does |", "|---|---|---|"]
    lines += [f"| `{route.method} /control/{route.path}` | {route.takes} | {route.does} |" for route in ROUTES]
    return lines


# Errors


def client_errors():
    """Return every class that the client raises, parents first."""
    return [errors.CommsError, *_tree(errors.CommsError, errors.__name__)]


def task_errors():
    """Return every class that a task of this provider raises and Airflow does not have itself."""
    own = [one for one in vars(exceptions).values() if inspect.isclass(one) and one.__module__ == exceptions.__name__]
    roots = [one for one in own if one.__base__ not in own]
    return [one for root in roots for one in [root, *_tree(root, exceptions.__name__)]]


def _tree(error, module):
    for child in error.__subclasses__():
        if child.__module__ == module:  # Else it is the poll's own, which no client raises.
            yield child
            yield from _tree(child, module)


def errors_tree():
    return ["```text", *_drawn(errors.CommsError, errors.__name__), "```"]


def _drawn(error, module, stem=""):
    if not stem:
        yield error.__name__
    children = [one for one in error.__subclasses__() if one.__module__ == module]
    for child in children:
        is_last = child is children[-1]
        yield f"{stem}{'└── ' if is_last else '├── '}{child.__name__}"
        for line in _drawn(child, module, stem + ("    " if is_last else "│   ")):
            if line != child.__name__:
                yield line


def errors_entries():
    lines = []
    for error in client_errors():
        lines += ["", f"### `{error.__name__}`", "", _markdown(error.__doc__.split(":param")[0])]
        lines += ["", f"- **Derives from** {_bases(error)}."]
        if error is not errors.CommsError:
            lines += [f"- **May pass** {'yes: a wait goes on, a task retries' if error.transient else 'no'}."]
        if error.default_advice:
            lines += [f"- **What to do**: {error.default_advice}"]
    return [*lines, ""]


def task_errors_entries():
    lines = []
    for error in task_errors():
        lines += ["", f"### `{error.__name__}`", "", _markdown(error.__doc__)]
        lines += ["", f"- **Derives from** {_bases(error)}.", f"- **Retries**: {_retries(error)}."]
    return [*lines, ""]


def _retries(error):
    names = {base.__name__ for base in error.__mro__}
    is_final = names & {"AirflowFailException", "AirflowSensorTimeout"}
    return "none, the task fails at once" if is_final else "as the task's `retries` say"


def _bases(error):
    return ", ".join(f"`{base.__name__}`" for base in error.__bases__)


# Parameters


def operators():
    """Return the sensors and operators that Airflow is told of."""
    info = get_provider_info()
    modules = [
        name for kind in ("sensors", "operators") for entry in info.get(kind, ()) for name in entry["python-modules"]
    ]
    for name in modules:
        module = import_module(name)
        for _, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, BaseOperator) and one.__module__ == name and not one.__name__.startswith("_"):
                yield one


RENAMED = {"output": "output_folder", "dry_run": "is_dry_run"}
"""Arguments that stand in `template_fields` under another name, for Airflow has an attribute of theirs."""


def is_templated(operator, name):
    return RENAMED.get(name, name) in operator.template_fields


def parameters():
    lines = []
    for operator in operators():
        classes = [one for one in operator.__mro__ if one.__module__ == operator.__module__]
        documented = {name: said for one in reversed(classes) for name, said in documented_parameters(one).items()}
        lines += ["", f"## `{operator.__name__}`", "", f"`from {operator.__module__} import {operator.__name__}`", ""]
        lines += [_markdown(inspect.getdoc(operator).split("\n\n")[0]), ""]
        lines += ["| parameter | meaning |", "|---|---|"]
        every = [parameter for one in classes for parameter in own_parameters(one)]
        for parameter in {one.name: one for one in every}.values():
            is_required = parameter.default is parameter.empty
            notes = ["*required*" if is_required else f"default `{_default(parameter)}`"]
            if is_templated(operator, parameter.name):
                notes.append("*templated*")
            meaning = re.sub(r"\s+\(templated\)", "", documented.get(parameter.name, ""))
            lines.append(f"| `{parameter.name}` | {_cell(meaning)}<br>{', '.join(notes)} |")
        if found := next(filter(None, (RETURN.search(inspect.getdoc(one)) for one in classes)), None):
            lines += ["", f"**Returns** {_markdown(found[1])}"]
    return [*lines, ""]


def _default(parameter):
    if parameter.name == "deferrable":
        return "[operators] default_deferrable"
    value = parameter.default
    return f"{value:g}" if isinstance(value, float) else repr(value).replace("'", '"')


def own_parameters(function):
    """Return a signature's parameters, but for self and what is passed on to Airflow."""
    function = function.__init__ if inspect.isclass(function) else function
    passed_on = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(inspect.unwrap(function)).parameters.values()
    return [one for one in parameters if one.kind not in passed_on and one.name not in {"self", "cls"}]


def documented_parameters(function):
    """Return what a docstring says of each parameter."""
    return dict(PARAMETER.findall(inspect.getdoc(function) or ""))


def _cell(text):
    return _markdown(text).replace("|", "\\|")


def _markdown(text):
    """Return a docstring's text in one line, as Markdown."""
    text = re.sub(r":\w+:`[.~]*(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    text = text.replace("``", "`")
    return " ".join(text.split())


TABLES = {
    "fields": fields_table,
    "extras": extras_table,
    "errors_tree": errors_tree,
    "errors": errors_entries,
    "task_errors": task_errors_entries,
    "exits": exits_table,
    "control": control_table,
    "parameters": parameters,
}
