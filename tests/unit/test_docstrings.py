"""
Public docstrings are complete, and none speaks of what is not there.

For what stands in the API reference: a `:param:` for each parameter, a `:return:` where a shape is returned, a
`:raises:` for each error that the function itself raises. Everywhere else: what is said of parameters is true.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from functools import cached_property
from pathlib import Path

import pytest

import airflow_provider_comms
from tests.unit.docs_tables import documented_parameters, own_parameters

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
DIRECTIVE = re.compile(r"^\.\. auto(class|module|function):: (\S+)\n((?:   :.*\n)*)", re.MULTILINE)
SHAPED = re.compile(r"\b(dict|tuple|list|Mapping|Any)\b")
RAISED = re.compile(r"^:raises (\w+):", re.MULTILINE)
RETURNED = re.compile(r"^:returns?:", re.MULTILINE)


def modules():
    for found in pkgutil.walk_packages(airflow_provider_comms.__path__, "airflow_provider_comms."):
        if not found.name.endswith(("__main__", "hooks.form")):  # The form needs what only Airflow 2 has.
            yield importlib.import_module(found.name)


def own_members(owner):
    """Return the public functions, methods, properties and classes that are defined in a module or class."""
    module = owner.__name__ if inspect.ismodule(owner) else owner.__module__
    for name, member in vars(owner).items():
        function = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
        if isinstance(member, cached_property):
            function = member.func
        is_code = inspect.isfunction(function) or inspect.isclass(function)
        if not name.startswith("_") and is_code and function.__module__ == module:
            yield function
            if inspect.isclass(function):
                yield from own_members(function)


def named_in_the_reference():
    """Return the functions and classes that the reference shows, with the members that it shows."""
    for page in sorted(REFERENCE.glob("*.md")):
        for kind, path, options in DIRECTIVE.findall(page.read_text()):
            module, _, name = path.rpartition(".")
            shown = (
                importlib.import_module(path) if kind == "module" else getattr(importlib.import_module(module), name)
            )
            if kind != "module":
                yield shown
            yield from (one for one in own_members(shown) if is_shown(one.__name__, options))


def is_shown(name, options):
    chosen, hidden = (re.search(f":{option}:(.*)", options) for option in ("members", "exclude-members"))
    names = chosen[1].replace(",", " ").split() if chosen else []
    return (
        bool(chosen) and (not names or name in names) and not (hidden and name in hidden[1].replace(",", " ").split())
    )


def ids(functions):
    unique = {f"{one.__module__.removeprefix('airflow_provider_comms.')}.{one.__qualname__}": one for one in functions}
    return [pytest.param(one, id=name) for name, one in unique.items()]


PUBLIC = ids(named_in_the_reference())
EVERYTHING = ids(one for module in modules() for one in own_members(module))


def parameters(function):
    """Return names of the parameters that a caller writes; for a model its fields, for a property none."""
    if fields := getattr(function, "model_fields", None):
        return set(fields)
    return {one.name for one in own_parameters(function)}


def raised_in(function):
    """Return the names of the errors that the function itself raises."""
    source = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(source)))
    except (TypeError, OSError):
        return set()
    raised = {node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc}
    calls = {one.func for one in raised if isinstance(one, ast.Call)}
    return {one.id for one in calls if isinstance(one, ast.Name) and one.id[0].isupper()}


@pytest.mark.parametrize("function", PUBLIC)
def test_every_public_parameter_is_documented(function):
    assert parameters(function) - set(documented_parameters(function)) == set()


@pytest.mark.parametrize("function", PUBLIC)
def test_every_public_function_says_what_it_returns(function):
    annotation = "" if inspect.isclass(function) else str(inspect.signature(function).return_annotation)
    doc = inspect.getdoc(function)
    assert doc
    assert not SHAPED.search(annotation) or RETURNED.search(doc) or parameters(function) == set()


@pytest.mark.parametrize("function", PUBLIC)
def test_every_public_function_says_what_it_raises(function):
    assert raised_in(function) - set(RAISED.findall(inspect.getdoc(function))) == set()


@pytest.mark.parametrize("function", EVERYTHING)
def test_no_docstring_speaks_of_a_parameter_that_is_not_there(function):
    documented = set(documented_parameters(function))
    has_more = inspect.isclass(function) or "**" in str(inspect.signature(function))
    assert has_more or documented - parameters(function) == set()


def test_the_reference_shows_every_public_name():
    from airflow_provider_comms import comms, exceptions, simulator
    from airflow_provider_comms.get_provider_info import get_provider_info
    from tests.unit.docs_tables import operators

    hooks = {kind["hook-class-name"].rpartition(".")[2] for kind in get_provider_info()["connection-types"]}
    promised = {*comms.__all__, *(name for name in simulator.__all__ if name[1:2].islower()), *hooks}
    promised |= {one.__name__ for one in operators()}
    promised |= {one.__name__ for one in own_members(exceptions)}
    assert promised - {one.values[0].__name__ for one in PUBLIC} == set()
