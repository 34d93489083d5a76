"""The parts of the docs that the code knows better, made of it: `python -m tests.unit.test_docs` writes them."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

from airflow.providers.common.compat.notifier import BaseNotifier
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_comms import exceptions
from airflow_provider_comms.cli.exits import Exit
from airflow_provider_comms.comms import errors
from airflow_provider_comms.get_provider_info import get_provider_info
from airflow_provider_comms.hooks.fields import EXTRAS, STANDARD

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
    lines = ["| name | meaning | default | minimum | maximum |", "|---|---|---|---|---|"]
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
            lines += [f"- **Temporary**: {'yes; a wait continues, a task retries' if error.transient else 'no'}."]
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
    """Return the sensors, operators and notifiers that Airflow is told of."""
    info = get_provider_info()
    modules = [name for kind in ("sensors", "operators") for one in info[kind] for name in one["python-modules"]]
    modules += [path.rpartition(".")[0] for path in info["notifications"]]
    for name in modules:
        for one in vars(import_module(name)).values():
            is_ours = inspect.isclass(one) and one.__module__ == name and not one.__name__.startswith("_")
            if is_ours and issubclass(one, (BaseOperator, BaseNotifier)):
                yield one


def is_templated(meaning):
    return "(templated" in meaning


def parameters():
    lines = []
    for operator in operators():
        documented = documented_parameters(operator)
        lines += ["", f"## `{operator.__name__}`", "", f"`from {operator.__module__} import {operator.__name__}`", ""]
        lines += [_markdown(inspect.getdoc(operator).split("\n\n")[0]), ""]
        lines += ["| parameter | meaning |", "|---|---|"]
        for parameter in own_parameters(operator):
            meaning = documented.get(parameter.name, "")
            is_required = parameter.default is parameter.empty
            notes = ["*required*" if is_required else f"default `{_default(parameter)}`"]
            if is_templated(meaning):
                notes.append("*templated*")
            meaning = re.sub(r"\s+\(templated\)", "", meaning)
            lines.append(f"| `{parameter.name}` | {_cell(meaning)}<br>{', '.join(notes)} |")
        if found := next(filter(None, (RETURN.search(inspect.getdoc(one)) for one in _family(operator))), None):
            lines += ["", f"**Returns** {_markdown(found[1])}"]
    return [*lines, ""]


def _family(cls):
    """Return the class and those of its bases that stand beside it: what they take, it takes."""
    room = cls.__module__.rpartition(".")[0]
    return [one for one in cls.__mro__ if one.__module__.startswith(f"{room}.")]


def _default(parameter):
    if parameter.name == "deferrable":
        return "[operators] default_deferrable"
    value = parameter.default
    return f"{value:g}" if isinstance(value, float) else repr(value).replace("'", '"')


def own_parameters(function):
    """Return a signature's parameters, but for self and what is passed on to Airflow; of a class, what makes one."""
    if inspect.isclass(function):
        made_by = {}
        for maker in (one.__init__ for one in _family(function) if "__init__" in vars(one)):
            made_by |= {one.name: one for one in own_parameters(maker) if one.name not in made_by}
            if "**" not in str(inspect.signature(maker)):  # It hands nothing on.
                break
        return list(made_by.values())
    passed_on = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(inspect.unwrap(function)).parameters.values()
    return [one for one in parameters if one.kind not in passed_on and one.name not in {"self", "cls"}]


def documented_parameters(function):
    """Return what a docstring says of each parameter; of a class, what those of its bases beside it say too."""
    documented = reversed(_family(function)) if inspect.isclass(function) else [function]
    return {name: said for one in documented for name, said in PARAMETER.findall(inspect.getdoc(one) or "")}


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
    "parameters": parameters,
}
