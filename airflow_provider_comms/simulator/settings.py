"""How the simulator behaves as a whole: speed, limits, and the quirks of its listings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_comms.simulator.fields import MAX_NUMBER, Model, Seconds, Switch
from airflow_provider_comms.simulator.plans import Reading


class Settings(Model):
    """
    What holds for every request.

    :param latency: seconds added to each answer.
    :param rate_limit: requests per second answered before a 429 with ``Retry-After: 1``; None for no limit.
    :param order: ``newest-first`` or ``oldest-first``.
    :param inclusive_bounds: startDate and endDate also keep what was created at that very time.
    :param empty_pages: in a listing with filters, an empty page with a ``next`` precedes every full one.
    :param endless_pages: no page is the last: empty ones follow, each with a token never seen before.
    :param repeat_at_seam: the last operation of a page comes again as the first of the next one.
    :param loop_tokens: from the second page on, ``next`` is the token that was just used.
    :param omit_next: the last page has no ``next`` at all instead of null.
    :param list_lag: seconds by which listings are behind: they show older states and miss what is younger.
    :param strict_ids: fetching an id that breaks the documented pattern is a 400 instead of a 404.
    :param counters: how operations count: ``cumulative`` or ``exclusive``, see :class:`.OperationPlan`; for those added
        from then on.
    :param cookies: each answer sets another cookie of 200 bytes.
    :raises FieldError: when a value makes no sense.
    """

    latency: Seconds = 0.0
    rate_limit: Annotated[float, Field(strict=True, ge=1, le=MAX_NUMBER, allow_inf_nan=False)] | None = None
    order: Literal["newest-first", "oldest-first"] = "newest-first"
    inclusive_bounds: Switch = False
    empty_pages: Switch = False
    endless_pages: Switch = False
    repeat_at_seam: Switch = False
    loop_tokens: Switch = False
    omit_next: Switch = False
    list_lag: Seconds = 0.0
    strict_ids: Switch = False
    cookies: Switch = False
    counters: Reading = "cumulative"
