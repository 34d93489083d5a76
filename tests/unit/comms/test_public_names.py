"""The package's public names: found when asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_provider_comms import comms

LIGHT = """
import sys
import airflow_provider_comms.comms
from airflow_provider_comms.comms import CommsError, OperationStatus, Resource
heavy = {"airflow", "asyncio", "httpx", "pydantic", "anyio"} & set(sys.modules)
assert not heavy, heavy
"""


def test_a_dag_file_that_needs_a_resource_loads_no_client():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


@pytest.mark.parametrize("name", comms.__all__)
def test_each_public_name_is_found_and_listed(name):
    assert getattr(comms, name).__name__ == name
    assert name in dir(comms)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'CommsKlient'"):
        _ = comms.CommsKlient
    with pytest.raises(ImportError):
        from airflow_provider_comms.comms import CommsKlient  # noqa: F401
