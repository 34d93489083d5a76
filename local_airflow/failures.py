"""What can go wrong in a demo, each as one readable block."""

from __future__ import annotations


class DemoFailure(Exception):  # noqa: N818 - a failure of the demonstration, in its own words
    """
    The demo cannot go on.

    :param headline: one sentence: what failed, and where
    :param details: a log or a list of facts that shows why; may have many lines
    """

    def __init__(self, headline: str, details: str = "") -> None:
        super().__init__(headline)
        self.headline = headline
        self.details = details

    def __str__(self) -> str:
        return f"{self.headline}\n{self.details}".strip()


class ComponentFailed(DemoFailure):
    """A process that the demo needs has ended, or has not become ready."""


class RunFailed(DemoFailure):
    """A DAG run ended in another state than success."""


class TookTooLong(DemoFailure):
    """Something has not happened within its time."""
