"""The report operator, run as Airflow runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import fsspec
import pytest
from airflow.providers.common.compat.sdk import DAG, Asset, task
from airflow.timetables.interval import CronDataIntervalTimetable
from packaging.version import Version

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.operators.report import CommsReportOperator
from tests.integration.conftest import AIRFLOW, run_to_end

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SENT = {"processing_for": 0, "recipients": 200, "failed": 0.1, "opened": 0.5}


@pytest.fixture
def now(comms_simulator):
    return comms_simulator.now


def report(now, **kwargs):
    window = {"window_start": (now - 24 * HOUR).isoformat(), "window_end": (now + HOUR).isoformat()}
    return CommsReportOperator(**{"task_id": "report", "resource": "emails", **window, **kwargs})


def test_it_returns_sums_figures_rates_and_words(airflow, comms_simulator, now):
    for age in (60, 3600):
        comms_simulator.add_operation("emails", age=age, **SENT)

    xcom = airflow(lambda: report(now, window_end=now - timedelta(seconds=1))).xcom("report")

    assert xcom["operations"] == xcom["emails"]["operations"] == 2
    assert xcom["emails"]["by_status"] == {"COMPLETED": 2}
    assert xcom["emails"]["stats"]["failed"] == 40
    assert xcom["emails"]["figures"]["reached"] == 360
    assert xcom["emails"]["rates"]["opened_of_reached"] == 0.5
    assert (xcom["complete"], xcom["notes"], xcom["violations"], xcom["files"]) == (True, [], [], {})
    assert "360 of 400 recipients reached (90.0 %)" in xcom["summary"]["text"]
    assert xcom["window"]["timezone"] == "UTC"


def test_a_night_without_sends_is_a_report_too(airflow, now, tmp_path):
    xcom = airflow(lambda: report(now, resource=["emails", "messages"], output=str(tmp_path))).xcom("report")

    assert xcom["messages"]["figures"]["reached"] == 0
    assert xcom["emails"]["rates"]["reached_of_recipients"] is None
    assert "No e-mail operations" in xcom["summary"]["text"]
    assert "<h1>No e-mail operations; no message operations.</h1>" in html(xcom)


def html(xcom):
    return Path(xcom["files"]["html"]["uri"].removeprefix("file://")).read_text()


def test_rows_and_page_are_where_the_xcom_says(airflow, comms_simulator, now, tmp_path):
    comms_simulator.seed("messages", 50, spread=3600, processing_for=0, recipients=4)

    formats = ["jsonl.gz", "csv", "parquet"]
    run = airflow(lambda: report(now, resource="messages", output=str(tmp_path), formats=formats))

    files = run.xcom("report")["files"]
    assert list(files) == [*formats, "html"]
    for form in formats:
        path = files[form]["uri"].removeprefix("file://")
        assert duckdb.sql(f"select count(*), sum(reached) from '{path}'").fetchall() == [(50, 200)]
        assert (files[form]["rows"], files[form]["bytes"]) == (50, Path(path).stat().st_size)
    assert "200 of 200 recipients reached" in html(run.xcom("report"))
    assert len(list(tmp_path.iterdir())) == 4


def test_the_xcom_stays_below_4_kb(airflow, comms_simulator, now, tmp_path):
    for resource in ("emails", "messages"):
        for n in range(30):
            odd = {"raw_status": f"STATUS_{n}", "raw_stats": {f"counter{n}": 10**12, "delivered": 10**15}}
            comms_simulator.add_operation(resource, age=60, failed=0.2, undelivered=0.1, **odd)

    folder = tmp_path / ("a-long-name-" * 8)
    run = airflow(
        lambda: report(
            now,
            resource=["emails", "messages"],
            output=str(folder),
            formats=["jsonl", "parquet"],
            window_start=now - timedelta(days=9),
        )
    )

    assert len(json.dumps(run.xcom("report"), ensure_ascii=False)) < 4096


def test_an_object_store_gets_the_files(airflow, comms_simulator, now):
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        from airflow.sdk.io import attach
    except ImportError:
        from airflow.io.store import attach
    attach("memory", fs=fsspec.filesystem("memory"))
    comms_simulator.add_operation("emails", age=60, **SENT)

    xcom = airflow(lambda: report(now, output=ObjectStoragePath("memory://reports/daily"))).xcom("report")

    assert xcom["files"]["jsonl"]["uri"].startswith("memory://reports/daily/operations_")
    stored = fsspec.filesystem("memory").cat(xcom["files"]["jsonl"]["uri"])
    assert json.loads(stored)["reached"] == 180


def test_a_day_is_replaced_whole(airflow, comms_simulator, now, tmp_path):
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    comms_simulator.add_operation("emails", created_at=today - HOUR, **SENT)
    window = {"window_start": today - timedelta(days=2), "window_end": today}

    def run():
        return airflow(lambda: report(now, output=str(tmp_path), partition_by="day", html=False, **window))

    first = run().xcom("report")["files"]["jsonl"]
    comms_simulator.add_operation("emails", created_at=today - 2 * HOUR, **SENT)
    second = run().xcom("report")["files"]["jsonl"]

    assert (first["rows"], second["rows"], second["files"]) == (1, 2, 2)
    day = tmp_path / "emails" / f"date={today - HOUR:%Y-%m-%d}" / "operations.jsonl"
    assert len(day.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"window_start": "2026-11-20T06:00"}, "cuts a day in two"),
        ({"window_start": "2026-11-20", "status": "COMPLETED"}, "a part of each day"),
    ],
)
def test_a_day_is_never_replaced_by_a_part_of_it(airflow, comms_simulator, tmp_path, kwargs, message):
    run = airflow(
        lambda: report(NOW, output=str(tmp_path), partition_by="day", **{"window_end": "2026-11-21", **kwargs})
    )

    assert message in str(run.error)
    assert not comms_simulator.requests


def test_limits_judge_the_totals_when_all_is_published(airflow, comms_simulator, now, tmp_path):
    comms_simulator.add_operation("emails", age=60, **SENT)
    comms_simulator.add_operation("messages", age=60, processing_for=0, recipients=10)

    @task(trigger_rule="one_failed")
    def alert(ti=None):
        return ti.xcom_pull(task_ids="report")["violations"]

    run = airflow(
        lambda: (
            report(now, resource=["emails", "messages"], output=str(tmp_path), fail_if={"failed": "2%"}, retries=2)
            >> alert()
        )
    )

    assert type(run.error).__name__ == "CommsThresholdExceeded"
    assert run.states == {"report": "failed", "alert": "success"}
    assert run.xcom("alert") == ["emails: failed = 20 (10.0 %), above the limit of 2 %"]
    assert "Threshold broken" in html(run.xcom("report"))


def test_a_floor_judges_the_totals_too(airflow, comms_simulator, now):
    comms_simulator.add_operation("emails", age=60, **SENT)

    run = airflow(lambda: report(now, fail_if={"reached": "< 95%"}, do_xcom_push=False))

    assert "emails: reached = 180 (90.0 %), below the limit of 95 %" in str(run.error)
    assert run.xcom("report") is None


def test_an_incomplete_report_warns(airflow, comms_simulator, now):
    comms_simulator.add_operation("emails", processing_for=600)

    xcom = airflow(lambda: report(now)).xcom("report")

    assert not xcom["complete"]
    assert "1 of 1 e-mail operation has not ended yet." in xcom["notes"]
    assert "The window is not over yet" in xcom["notes"][0]


def test_an_incomplete_report_publishes_nothing_where_it_is_to_fail(airflow, comms_simulator, now, tmp_path):
    comms_simulator.add_operation("emails", processing_for=600)

    run = airflow(lambda: report(now, output=str(tmp_path), on_incomplete="fail"))

    assert type(run.error).__name__ == "CommsReportIncomplete"
    assert not list(tmp_path.iterdir())


def test_a_window_beyond_what_twilio_keeps_is_refused_before_any_request(airflow, comms_simulator, now):
    run = airflow(lambda: report(now, window_start=now - timedelta(days=8), on_incomplete="fail"))

    assert "more than 7 days ago" in str(run.error)
    assert not comms_simulator.requests


@pytest.mark.skipif(
    Version("3.0") <= AIRFLOW < Version("3.1"), reason="Airflow 3.0 refuses an asset that is in no DAG file"
)
def test_outlets_get_the_report_as_extra(airflow, comms_simulator, now):
    comms_simulator.add_operation("emails", age=60, **SENT)
    asset = Asset("reports_of_operators")
    seen = []

    class Noting(CommsReportOperator):
        def post_execute(self, context, result=None):
            seen.append(context["outlet_events"][asset].extra)

    window = {"window_start": now - HOUR, "window_end": now + HOUR}
    xcom = airflow(lambda: Noting(task_id="report", resource="emails", outlets=[asset], **window)).xcom("report")

    assert seen == [xcom]


class TestWindow:
    """Which stretch of time a run reports on."""

    def test_the_data_interval(self, airflow, comms_simulator, now):
        yesterday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        comms_simulator.add_operation("emails", created_at=yesterday, **SENT)
        comms_simulator.add_operation("emails", created_at=yesterday + timedelta(days=1), **SENT)
        schedule = CronDataIntervalTimetable("0 0 * * *", timezone="UTC")
        with DAG("report_interval", schedule=schedule, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
            CommsReportOperator(task_id="report", resource="emails")

        xcom = run_to_end(dag).xcom("report")

        assert xcom["window"]["start"] == f"{yesterday:%Y-%m-%d}T00:00:00Z"
        assert xcom["operations"] == 1

    def test_none_is_an_error_that_shows_the_line_to_write(self, airflow, comms_simulator):
        run = airflow(lambda: CommsReportOperator(task_id="report", resource="emails", retries=3))

        assert type(run.error).__name__ == "CommsPermanentError"
        assert 'schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC")' in str(run.error)
        assert not comms_simulator.requests

    def test_half_a_window_is_refused(self, airflow, now):
        run = airflow(lambda: report(now, window_end="{{ none or '' }}"))

        assert "half a window" in str(run.error)

    def test_templates_are_rendered(self, airflow, comms_simulator, now):
        comms_simulator.add_operation("emails", age=60, **SENT)
        window = {"window_start": "{{ dag_run.conf['start'] }}", "window_end": "{{ dag_run.conf['end'] }}"}
        conf = {"start": (now - HOUR).isoformat(), "end": (now + HOUR).isoformat()}

        run = airflow(lambda: CommsReportOperator(task_id="report", resource="emails", **window), conf)

        assert run.xcom("report")["operations"] == 1

    def test_default_args_are_airflows_own_dates(self, airflow, comms_simulator, now):
        defaults = {"start_date": datetime(2026, 1, 1, tzinfo=UTC)}
        with DAG("report_defaults", schedule=None, default_args=defaults) as dag:
            report(now)
            CommsReportOperator.partial(task_id="mapped", window_start=now - HOUR, window_end=now + HOUR).expand(
                resource=["emails", "messages"]
            )

        run = run_to_end(dag)

        assert run.xcom("report")["window"]["start"] > "2026-11"
        assert run.states["mapped"] == ["success", "success"]

    @pytest.mark.parametrize("name", ["start_date", "end_date"])
    def test_airflows_own_dates_are_not_mistaken_for_the_window(self, name):
        with pytest.raises(CommsArgumentError, match=f"{name} is Airflow's own"):
            CommsReportOperator(task_id="report", resource="emails", **{name: "{{ data_interval_start }}"})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("resource", ["sms", [], ["emails", "sms"], ["{{ params.kind }}", "sms"], 5]),
        ("window_start", ["yesterday", "2026-13-01", 5, 0, datetime(2026, 11, 20)]),  # noqa: DTZ001
        ("window_end", ["2026-11-2", None, "", "2020-01-01"]),
        ("status", ["done", 5, True]),
        ("output", [5, 0, True, ["reports"], {"folder": "reports"}]),
        ("formats", ["xml", ["csv", "xml"], 5, None, "{{ params.form }}"]),
        ("html", ["false", 0, 1, None]),
        ("partition_by", ["hour", "", ["day"]]),
        ("timezone", ["Mars/X", "", 5, None]),
        ("top", ["x", -1, 2.5, float("nan"), True, None]),
        ("fail_if", [{"bounced": 1}, {"read": 1}, "2%"]),
        ("on_incomplete", ["explode", None]),
        ("parallel", [0, 33, "8", True]),
    ],
)
def test_a_bad_argument_is_refused_by_its_name_when_the_dag_is_parsed(now, name, values):
    for number, value in enumerate(values):
        with pytest.raises(CommsArgumentError, match=rf"{name}|window|fail_if") as caught:
            report(now, task_id=f"report{number}", **{name: value})
        assert caught.value.advice


@pytest.mark.parametrize("resource", ["all", [], ["emails", "letters"]])
def test_for_both_resources_there_is_a_list(now, resource):
    with pytest.raises(CommsArgumentError) as caught:
        report(now, resource=resource)
    assert caught.value.advice == "Use 'emails', 'messages', or a list of both."


def test_where_nothing_would_be_published_no_folder_is_named(now):
    report(now, formats=[], html=False)
    with pytest.raises(CommsArgumentError, match="nothing to publish"):
        report(now, output="{{ params.folder }}", formats=[], html=False)


def test_templates_are_not_judged_when_the_dag_is_parsed(now):
    names = ("resource", "window_start", "window_end", "status", "output", "timezone")
    template = "{{ params.given }}"

    for name in names:
        report(now, **{name: template})
    report(now, **dict.fromkeys(names, template))
    report(now, resource=["emails", template], fail_if={"read": 1})


@pytest.mark.parametrize(
    "kwargs",
    [
        {"resource": "{{ 'sms' }}"},
        {"resource": "{{ 'emails' }}", "fail_if": {"read": 1}},
        {"timezone": "{{ 'Mars' }}"},
        {"status": "{{ 'DONE' }}"},
        {"window_start": "{{ 'yesterday' }}"},
    ],
)
def test_a_bad_argument_at_run_time_is_not_retried(airflow, comms_simulator, now, kwargs):
    run = airflow(lambda: report(now, retries=3, **kwargs))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert not comms_simulator.requests


def test_an_output_that_is_no_folder_at_run_time_is_refused_before_any_request(airflow, comms_simulator, now):
    @task
    def folder():
        return 5

    run = airflow(lambda: report(now, output=folder(), retries=3))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "output=5" in str(run.error)
    assert not comms_simulator.requests


def test_the_folder_may_be_a_local_path_of_airflows(airflow, comms_simulator, now, tmp_path):
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    airflow(lambda: report(now, output=ObjectStoragePath(f"file://{tmp_path}"))).xcom("report")

    assert len(list(tmp_path.iterdir())) == 2


def test_lineage_names_the_account_masked_and_the_files(airflow, comms_simulator, now, tmp_path):
    comms_simulator.add_operation("emails", age=60, **SENT)
    seen = []

    class Noting(CommsReportOperator):
        def post_execute(self, context, result=None):
            seen.append(self.get_openlineage_facets_on_complete(context["ti"]))

    window = {"window_start": now - HOUR, "window_end": now + HOUR}
    airflow(lambda: Noting(task_id="report", resource="emails", output=str(tmp_path), **window))

    (lineage,) = seen
    assert [(one.namespace, one.name) for one in lineage.inputs] == [
        (f"twilio-comms://AC…{comms_simulator.account_sid[-4:]}", "emails")
    ]
    rows, page = lineage.outputs
    assert (rows.namespace, rows.name.startswith(str(tmp_path))) == ("file", True)
    assert rows.outputFacets["outputStatistics"].rowCount == 1
    assert page.name.endswith(".html")
