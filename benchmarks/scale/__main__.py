"""
Measures what Airflow itself spends on waits; `costs` has its figures from here.

Not one of the benchmarks, for little in it is ours: `python -m benchmarks.scale WAITS TRIGGERERS`.
"""

from __future__ import annotations

import os
import sys
from tempfile import TemporaryDirectory

from benchmarks.scale.airflow_database import measure_database
from benchmarks.scale.airflow_triggerer import measure_triggerer


def main() -> None:
    waits, triggerers = map(int, sys.argv[1:])
    with TemporaryDirectory(prefix="airflow-provider-comms-scale-") as airflow_home:
        os.environ |= {"AIRFLOW_HOME": airflow_home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
        measured = measure_triggerer(waits // triggerers) | measure_database(waits, triggerers)
        for what, costs in measured.items():
            print(f"{what:32} " + ", ".join(f"{value:,.1f} {unit}" for unit, value in costs.items()))


if __name__ == "__main__":
    main()
