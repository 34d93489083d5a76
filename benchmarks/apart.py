"""The far end of `measure.apart`: calls one function with arguments from standard input, prints what it returns."""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    module, name = sys.argv[1:]
    result = getattr(import_module(module), name)(**json.load(sys.stdin))
    # On a line of its own, for Airflow may have logged to the same stream.
    print(f"\n{json.dumps(result)}")


if __name__ == "__main__":
    main()
