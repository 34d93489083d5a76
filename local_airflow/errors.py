"""What can go wrong with a local Airflow, each as one readable block."""

from __future__ import annotations


class LocalAirflowError(Exception):
    """
    The local Airflow, or something beside it, did not do what it was started for.

    :param headline: one sentence: what failed, and where
    :param details: a log or a list of facts that shows why; may have many lines
    """

    def __init__(self, headline: str, details: str = "") -> None:
        super().__init__(headline)
        self.headline = headline
        self.details = details

    def __str__(self) -> str:
        return f"{self.headline}\n{self.details}".strip()


class ComponentError(LocalAirflowError):
    """A process ended early, or did not become ready."""


class RunError(LocalAirflowError):
    """A DAG run ended in another state than success."""


class WaitTimeoutError(LocalAirflowError):
    """Something did not happen in time."""
