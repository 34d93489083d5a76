"""How the simulator behaves as a whole: speed, limits, and the quirks of its listings."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_comms.simulator.checks import number, one_of, truth

ORDERS = ("newest-first", "oldest-first")
_SWITCHES = (
    "inclusive_bounds",
    "empty_pages",
    "repeat_at_seam",
    "loop_tokens",
    "omit_next",
    "strict_ids",
    "endless_pages",
    "cookies",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """
    What holds for every request.

    :param latency: seconds added to each answer.
    :param rate_limit: requests per second answered before a 429 with ``Retry-After: 1``; None for no limit.
    :param order: ``newest-first`` or ``oldest-first``.
    :param inclusive_bounds: startDate and endDate also keep what was created at that very moment.
    :param empty_pages: in a listing with filters, an empty page with a ``next`` precedes every full one.
    :param repeat_at_seam: the last operation of a page comes again as the first of the next one.
    :param loop_tokens: from the second page on, ``next`` is the token that was just used.
    :param omit_next: the last page has no ``next`` at all instead of null.
    :param list_lag: seconds by which listings are behind: they show older states and miss what is younger.
    :param endless_pages: no page is the last: empty ones follow, each with a token never seen before.
    :param cookies: each answer sets another cookie of 200 bytes.
    :param strict_ids: fetching an id that breaks the documented pattern is a 400 instead of a 404.
    :raises FieldError: when a value makes no sense.
    """

    latency: float = 0.0
    rate_limit: float | None = None
    order: str = "newest-first"
    inclusive_bounds: bool = False
    empty_pages: bool = False
    repeat_at_seam: bool = False
    loop_tokens: bool = False
    omit_next: bool = False
    list_lag: float = 0.0
    strict_ids: bool = False
    endless_pages: bool = False
    cookies: bool = False

    def __post_init__(self) -> None:
        number("latency", self.latency)
        number("list_lag", self.list_lag)
        one_of("order", self.order, ORDERS)
        if self.rate_limit is not None:
            number("rate_limit", self.rate_limit, least=1)
        for name in _SWITCHES:
            truth(name, getattr(self, name))
