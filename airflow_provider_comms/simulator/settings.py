"""How the simulator behaves as a whole: speed, limits, and the quirks of its listings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from airflow_provider_comms.simulator.fields import MAX_NUMBER, FieldError, Model, Seconds, Switch
from airflow_provider_comms.simulator.plans import OperationPlan, Reading
from airflow_provider_comms.simulator.responses import AcceptedForm
from airflow_provider_comms.simulator.store import Order

_Rate = Annotated[float, Field(strict=True, gt=0, le=MAX_NUMBER, allow_inf_nan=False)]


class Settings(Model):
    """
    What holds for every request.

    :param latency: seconds added to each answer.
    :param rate_limit: requests per second answered before a 429 with ``Retry-After: 1``; None for no limit.
    :param order: ``newest-first``, ``oldest-first`` or ``shuffled``; lists of e-mails and messages are not shuffled.
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
    :param send_plan: fields of :class:`.OperationPlan` for the operations that sends create, but for ``recipients`` and
        ``scheduled_for``, which the request says.
    :param accepted_form: how the answer to a send looks: ``documented``, ``location-only`` (no body), ``without-id``
        (``{}``), ``empty`` or ``html``; all are 202.
    :param items_per_second: how fast a send's e-mails or messages come into being; None for all at once.
    :param item_lag: seconds by which the lists of e-mails and messages are behind.
    :param cookies: each answer sets another cookie of 200 bytes.
    :raises FieldError: when a value makes no sense.
    """

    latency: Seconds = 0.0
    rate_limit: Annotated[_Rate, Field(ge=1)] | None = None
    order: Order = "newest-first"
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
    send_plan: dict[str, Any] = Field(default_factory=dict)
    accepted_form: AcceptedForm = "documented"
    items_per_second: _Rate | None = None
    item_lag: Seconds = 0.0

    @field_validator("send_plan")
    @classmethod
    def _check_send_plan(cls, plan: dict[str, Any]) -> dict[str, Any]:
        for name in ("recipients", "scheduled_for"):
            if name in plan:
                raise FieldError("send_plan", f"{name} is what the request to send says")
        try:
            OperationPlan(**plan)
        except FieldError as error:
            raise FieldError("send_plan", str(error)) from None
        return plan
