"""What both send operators are: recipients in, each request accepted once, its operations out."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import cached_property
from inspect import signature
from time import sleep, time
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator, conf

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.sending.chunks import MAX_CHUNK
from airflow_provider_comms.tasks.arguments import is_literal
from airflow_provider_comms.tasks.polls import PollingTask
from airflow_provider_comms.tasks.result import end_from_event, fail_fast_on_permanent_errors, operations_of
from airflow_provider_comms.tasks.send_arguments import bool_of, check_send, number_of
from airflow_provider_comms.tasks.send_files import names_recipient_file, rows_of
from airflow_provider_comms.tasks.unshown import Unshown, given, holds_template, is_template
from airflow_provider_comms.triggers.deferral import defer_wait
from airflow_provider_comms.waiting.payload import sums_of
from airflow_provider_comms.waiting.spec import (
    DEFAULT_GRACE,
    DEFAULT_POKE_INTERVAL,
    DEFAULT_TIMEOUT,
    WaitSpec,
    seconds_of,
)
from airflow_provider_comms.waiting.verdict import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from os import PathLike

    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context, ObjectStoragePath, XComArg
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.comms.sending.requests import Send
    from airflow_provider_comms.sending.once import OnUnknown
    from airflow_provider_comms.sending.plan import Plan
    from airflow_provider_comms.tasks.send import ChunkSender
    from airflow_provider_comms.waiting.event import WaitEnd
    from airflow_provider_comms.waiting.spec import OnCanceled
    from airflow_provider_comms.xcoms import DeliveryXCom, SendXCom

    File = PathLike[str] | ObjectStoragePath
    Recipients = str | Mapping[str, object] | Iterable[object] | File | XComArg
    Text = str | File | XComArg

SENT_KEY = "sent"
"""Key of the XCom that tells of the send while its operations are waited for."""


_ATTRIBUTES = {"dry_run": "is_dry_run"}
"""Arguments that are kept under another name: Airflow's command line calls a method `dry_run`."""


class SendOperator(PollingTask, BaseOperator):
    """
    What both send operators share: recipients in, each request accepted once, its operations out.

    :param to: an address, or several separated by commas; a recipient as a mapping; a list of these; or the path of a
        CSV or JSON Lines file of recipients, which the worker reads. Or the XCom of a task that returns any of these
        (templated; data from an XCom is not rendered).
    :param variables: variables of every recipient, name to text, for the Liquid in the content (templated). A
        recipient's own variables take precedence. Use these to pass values from Airflow into the content.
    :param tags: name to value, at most 8 (templated).
    :param send_at: when Twilio sends it, at most 30 days ahead: an aware datetime or an ISO 8601 string with an offset
        (templated).
    :param send_key: identifies the send, so that another try does not repeat it; by default the DAG, run, task and map
        index (templated). A task that sends under a key used in the last 7 days adopts what was sent, and sends
        nothing.
    :param on_unknown: what to do if it is not known whether a request was accepted and it is not found: "fail", or
        "resend" it, so that recipients may get it twice (templated).
    :param confirm_for: seconds or timedelta for which such a request is looked for.
    :param look_before: whether the first try also looks for an earlier send under the key.
    :param chunk_size: recipients per request, 1 to 10,000. Requests are sent one after the other.
    :param pause_between_chunks: seconds or timedelta between two requests.
    :param deduplicate: whether a repeated recipient gets it only once; the first one counts.
    :param max_recipients: fail before anything is sent if there are more recipients (templated).
    :param allow_recipients: addresses, domains such as "@example.com" or patterns such as "+4930*"; fail before
        anything is sent if a recipient matches none (templated). An empty list allows nobody.
    :param on_empty: what to do if there are no recipients: "fail", or "skip" the task.
    :param dry_run: check everything, send nothing, and skip the task (templated).
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).
    :param wait_for_completion: wait for the operations after sending, as `CommsOperationSensor` does.
    :param deferrable: wait in the triggerer.
    :param on_canceled: for the wait; this and the next six are as for `CommsOperationSensor`.
    :param fail_if: for the wait.
    :param fail_early: for the wait.
    :param poke_interval: for the wait.
    :param adaptive: for the wait.
    :param grace: for the wait.
    :param timeout: for the wait: seconds or timedelta from its start.
    :param multiple_outputs: also push each key as an XCom of its own.

    :return: `{"resource", "operations", "recipients", "chunks", "send_key"}`: the operations' ids, how many recipients
        and chunks there were, and a digest of the key. With `wait_for_completion`, `operations` holds the operations'
        XComs instead of their ids, and `"stats"`, `"figures"` and `"rates"` of all of them are added.
    :raises CommsArgumentError: an argument is invalid.
    :raises CommsPermanentError: an argument or the connection is invalid, or the API refuses the request.
    :raises CommsSendUnknown: it is not known whether a request was accepted; it was not repeated.
    :raises CommsSendUntracked: everything was accepted, but an operation is not known.
    :raises CommsSendChanged: something else was sent under the key before.
    :raises CommsError: a temporary error; nothing was sent, or a part. Airflow's `retries` send the rest. Before
        Airflow 3.3 a retry cannot know that nothing was sent, and fails with CommsSendUnknown if it does not find it.
    :raises AirflowException: the task was stopped; its next try resumes.
    """

    resource: ClassVar[Resource]
    operator_extra_links: Collection[BaseOperatorLink] = (TwilioConsoleLink(),)
    ui_color = "#f4d8d8"
    template_fields: Sequence[str] = (
        "to",
        "variables",
        "tags",
        "send_at",
        "send_key",
        "on_unknown",
        "max_recipients",
        "allow_recipients",
        "is_dry_run",
        "comms_conn_id",
        "from_",
    )

    to = Unshown(is_template, names_recipient_file)
    variables = Unshown(holds_template)
    send_key = Unshown(is_template)
    allow_recipients = Unshown(holds_template)

    def __init__(
        self,
        *,
        to: Recipients,
        variables: Mapping[str, object] | XComArg | None = None,
        tags: Mapping[str, str] | None = None,
        send_at: datetime | str | None = None,
        send_key: str | None = None,
        on_unknown: OnUnknown = "fail",
        confirm_for: timedelta | float = 120.0,
        look_before: bool = True,
        chunk_size: int = MAX_CHUNK,
        pause_between_chunks: timedelta | float = 0.0,
        deduplicate: bool = True,
        max_recipients: int | str | None = None,
        allow_recipients: Iterable[str] | str | XComArg | None = None,
        on_empty: str = "fail",
        dry_run: bool | str = False,
        comms_conn_id: str = DEFAULT_CONN_ID,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        on_canceled: OnCanceled = "succeed",
        fail_if: Mapping[str, int | str] | None = None,
        fail_early: bool = False,
        poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
        adaptive: bool = False,
        grace: timedelta | float = DEFAULT_GRACE,
        timeout: timedelta | float = DEFAULT_TIMEOUT,
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.to = to
        self.variables = variables
        self.tags = tags
        self.send_at = send_at
        self.send_key = send_key
        self.on_unknown = on_unknown
        self.confirm_for = confirm_for
        self.look_before = look_before
        self.chunk_size = chunk_size
        self.pause_between_chunks = pause_between_chunks
        self.deduplicate = deduplicate
        self.max_recipients = max_recipients
        self.allow_recipients = allow_recipients
        self.on_empty = on_empty
        self.is_dry_run = dry_run
        self.comms_conn_id = comms_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.spec = WaitSpec.parse(
            poke_interval=poke_interval,
            timeout=timeout,
            adaptive=adaptive,
            grace=grace,
            on_canceled=on_canceled,
            fail_if=fail_if,
            fail_early=fail_early,
        ).check_for(self.resource)
        check_send(self._arguments(), is_literal)

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Keep recipients and content out of what Airflow stores of a mapped task with its DAG."""
        fields = {name: getattr(cls, name, None) for name in kwargs}
        hidden = {name: field.hide(kwargs[name]) for name, field in fields.items() if isinstance(field, Unshown)}
        return super().partial(**{**kwargs, **hidden})

    @cached_property
    def _stopped(self) -> threading.Event:
        """Not made before it is needed: Airflow copies the tasks of a DAG, and a lock cannot be copied."""
        return threading.Event()

    def _arguments(self) -> dict[str, object]:
        names = signature(SendOperator.__init__).parameters
        return {name: self._given(name) for name in names if name != "self"}

    def _given(self, name: str) -> Any:
        """Return an argument, its template rendered, whether it is shown or not."""
        attribute = _ATTRIBUTES.get(name, name)
        is_unshown = isinstance(getattr(type(self), attribute, None), Unshown)
        return given(self, attribute) if is_unshown else getattr(self, attribute, None)

    def execute(self, context: Context) -> SendXCom | DeliveryXCom:
        """Send what was not sent before, and wait for it if asked to."""
        with fail_fast_on_permanent_errors():
            sent = self._send(context)
        if not self.wait_for_completion:
            if self.spec.fail_if:
                self.log.warning("fail_if has no effect here: set wait_for_completion=True, or give it to the sensor.")
            return sent
        if self.do_xcom_push:
            # Who waits in the triggerer comes back as another object.
            context["ti"].xcom_push(key=SENT_KEY, value=sent)
        return self._result(self._wait(sent), sent)

    def execute_complete(self, context: Context, event: Mapping[str, object]) -> DeliveryXCom:
        """Resume when the trigger has seen the end."""
        ti = context["ti"]
        pulled = ti.xcom_pull(task_ids=self.task_id, key=SENT_KEY, map_indexes=ti.map_index)
        sent: Any = pulled or {"resource": self.resource.value}
        return self._result(end_from_event(event), sent)

    def on_kill(self) -> None:
        """Send nothing more; a request that is on its way may still come to its end."""
        self._stopped.set()

    def _send(self, context: Context) -> SendXCom:
        from airflow_provider_comms.sending.keys import default_send_key, send_digest

        check_send(self._arguments())
        ti = context["ti"]
        key = self._chosen_key() or default_send_key(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)
        with ExitStack() as stack:
            plan = self._plan(stack)
            result: SendXCom = {
                "resource": self.resource.value,
                "operations": [],
                "recipients": plan.chunks.recipients,
                "chunks": len(plan.chunks),
                "send_key": send_digest(key, 1),
            }
            if bool_of("dry_run", self.is_dry_run):
                self._end_dry_run(context, result)
            client = stack.enter_context(self.hook.get_conn())
            sender = self._sender(context, client, key)
            return {**result, "operations": sender.send(plan)}

    def _chosen_key(self) -> str | None:
        key = str(given(self, "send_key") or "").strip()
        # What a template makes of nothing would be one key for all.
        return None if key in {"", "None"} else key

    def _plan(self, stack: ExitStack) -> Plan:
        from airflow_provider_comms.reports.words import counted
        from airflow_provider_comms.sending.allow_list import AllowList
        from airflow_provider_comms.sending.plan import Limits, plan
        from airflow_provider_comms.sending.recipients import read_recipients

        allowed = given(self, "allow_recipients")
        limits = Limits(
            chunk_size=self.chunk_size,
            max_recipients=number_of("max_recipients", self.max_recipients),
            allowed=None if allowed is None else AllowList(allowed),
            deduplicate=self.deduplicate,
        )
        recipients = read_recipients(self.resource, rows_of(given(self, "to")), given(self, "variables"))
        made = plan(self._build(), recipients, limits, stack)
        if made is None:
            self._end_empty()
        if made.duplicates:
            self.log.warning("Repeated, and left out: %s.", counted(made.duplicates, "recipient"))
        if bool_of("dry_run", self.is_dry_run):  # Else the client warns, when it sends.
            for warning in made.warnings:
                self.log.warning("%s", warning)
        self.log.info("%s in %s.", counted(made.chunks.recipients, "recipient"), counted(len(made.chunks), "chunk"))
        return made

    def _end_empty(self) -> NoReturn:
        if self.on_empty == "skip":
            raise AirflowSkipException("There are no recipients; nothing was sent.")
        raise CommsArgumentError(
            "There are no recipients; nothing was sent.",
            advice='Check where they come from; set on_empty="skip" if there may be none.',
        )

    def _end_dry_run(self, context: Context, result: SendXCom) -> NoReturn:
        from airflow_provider_comms.reports.words import counted

        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=result)
        raise AirflowSkipException(
            f"Dry run: {counted(result['recipients'], 'recipient')} in {counted(result['chunks'], 'chunk')}; "
            "nothing was sent."
        )

    def _sender(self, context: Context, client: CommsClient, key: str) -> ChunkSender:
        from airflow_provider_comms.sending.once import Rules
        from airflow_provider_comms.tasks.send import ChunkSender
        from airflow_provider_comms.tasks.send_journal import journal_of

        journal = journal_of(context)
        if journal is None:
            self.log.info("Before Airflow 3.3 nothing is stored between tries: a retry looks for the send by its tag.")
        rules = Rules(
            on_unknown=self.on_unknown,
            confirm_for=seconds_of("confirm_for", self.confirm_for),
            look_before=self.look_before,
            is_retry=context["ti"].try_number > 1,
            is_own_key=self._chosen_key() is None,
        )
        return ChunkSender(
            client=client,
            conn_id=self.comms_conn_id,
            resource=self.resource,
            journal=journal,
            rules=rules,
            send_key=key,
            pause=seconds_of("pause_between_chunks", self.pause_between_chunks),
            log=self.log,
            stopped=self._stopped,
        )

    def _build(self) -> Callable[..., Send]:
        """Return what makes the request of some recipients."""
        raise NotImplementedError

    def _wait(self, sent: SendXCom) -> WaitEnd:
        from airflow_provider_comms.waiting.targets import Targets
        from airflow_provider_comms.waiting.wait import Wait

        targets = Targets.of(self.resource, sent)
        wait = Wait(targets=targets, spec=self.spec, started_at=time(), log=self.log)
        with fail_fast_on_permanent_errors():
            while isinstance(verdict := wait.poll(self.ask), Waiting):
                if self.deferrable:
                    defer_wait(self, wait)
                sleep(wait.delay(wait.now()))
        return wait.end(verdict, wait.now())

    def _result(self, end: WaitEnd, sent: SendXCom) -> DeliveryXCom:
        operations = operations_of(end, self.log)
        return {**sent, "operations": operations, **sums_of(operations)}
