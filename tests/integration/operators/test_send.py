"""The send operators as Airflow runs them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, XComArg, task

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator
from airflow_provider_comms.sensors.operation import CommsOperationSensor

SENDER = {"address": "news@example.com", "name": "Example News"}
PEOPLE = [{"address": f"p{number}@example.com", "first_name": f"P{number}"} for number in range(5)]


def emails(**kwargs):
    content = {"from_": SENDER, "subject": "Hi", "html": "<p>Hi {{ first_name | default: 'there' }}</p>"}
    return CommsSendEmailsOperator(**{"task_id": "send", "to": PEOPLE, "confirm_for": 1, **content, **kwargs})


def messages(**kwargs):
    return CommsSendMessagesOperator(**{"task_id": "send", "to": ["+1 415 555 0100"], "text": "Hi", **kwargs})


def test_a_task_can_be_copied_as_airflow_copies_those_of_a_dag():
    copied = copy.deepcopy(emails(variables={"city": "Riga"}))

    assert copied._given("to") == PEOPLE
    assert copied._given("variables") == {"city": "Riga"}


def test_it_sends_and_returns_what_the_sensor_takes(airflow, comms_simulator):
    comms_simulator.change_settings(send_plan={"processing_for": 0.0})

    def dag():
        send = emails(chunk_size=2, tags={"campaign": "spring"})
        CommsOperationSensor(task_id="wait", resource="emails", operation_id=send.output)

    run = airflow(dag)

    assert run.states == {"send": "success", "wait": "success"}
    sent = run.xcom("send")
    assert sent == {
        "resource": "emails",
        "operations": [one.operation_id for one in comms_simulator.sends],
        "recipients": 5,
        "chunks": 3,
        "send_key": comms_simulator.sends[0].tags["airflow.send"],
    }
    assert run.xcom("send", "operations") == sent["operations"]
    assert [one["figures"]["recipients"] for one in run.xcom("wait")] == [2, 2, 1]
    body = comms_simulator.sends[0].body
    assert body["from"] == SENDER
    assert body["to"][0] == {"address": "p0@example.com", "variables": {"first_name": "P0"}}
    assert body["content"]["html"] == "<p>Hi {{ first_name | default: 'there' }}</p>"
    assert body["tags"]["campaign"] == "spring"
    assert comms_simulator.request_counts()["max_in_flight"] == 1


@pytest.mark.parametrize("deferrable", [True, False])
def test_it_goes_on_to_wait(airflow, comms_simulator, deferrable):
    comms_simulator.change_settings(send_plan={"processing_for": 1.5, "failed": 0.4})

    run = airflow(
        lambda: emails(wait_for_completion=True, deferrable=deferrable, poke_interval=0.2, fail_if={"failed": 2})
    )

    assert run.states == {"send": "success"}
    result = run.xcom("send")
    assert [one["status"] for one in result["operations"]] == ["COMPLETED"]
    assert (result["recipients"], result["chunks"], result["figures"]["reached"]) == (5, 1, 3)
    assert result["send_key"] == comms_simulator.sends[0].tags["airflow.send"]
    assert len(comms_simulator.sends) == 1


def test_a_limit_that_nothing_judges_is_told(airflow):
    run = airflow(lambda: emails(fail_if={"failed": 2}))

    assert run.states == {"send": "success"}
    assert "fail_if has no effect here" in run.log("send")


@pytest.mark.parametrize("deferrable", [True, False])
def test_the_wait_fails_as_the_sensor_does(airflow, comms_simulator, deferrable):
    comms_simulator.change_settings(send_plan={"processing_for": 0.5, "failed": 0.4})

    run = airflow(
        lambda: emails(wait_for_completion=True, deferrable=deferrable, poke_interval=0.2, fail_if={"failed": 1})
    )

    assert run.states == {"send": "failed"}
    assert type(run.error).__name__ == "CommsThresholdExceeded"


def test_messages(airflow, comms_simulator):
    sender = {"senderPoolId": "comms_senderpool_01h9krwprkeee8fzqspvwy6nq8"}
    run = airflow(lambda: messages(from_=sender, media=["https://example.com/a.png"]))

    assert run.states == {"send": "success"}
    body = comms_simulator.sends[0].body
    assert body["to"] == [{"address": "+14155550100", "channel": "PHONE"}]
    assert body["content"] == {"text": "Hi", "media": [{"url": "https://example.com/a.png"}]}
    assert body["from"] == sender


def test_airflows_values_go_through_variables_and_liquid_stays(airflow, comms_simulator):
    run = airflow(
        lambda: emails(
            to=[{"address": "jo@example.com", "greeting": "{{ run_id }} {% if %}"}],
            subject="{{ greeting }} {% if vip %}!{% endif %}",
            variables={"run": "{{ run_id }}"},
            tags={"dag": "{{ dag.dag_id }}"},
            headers={"X-Id": "{{ id | default: 'x' }}"},
        )
    )

    assert run.states == {"send": "success"}
    body = comms_simulator.sends[0].body
    assert body["content"]["subject"] == "{{ greeting }} {% if vip %}!{% endif %}"
    assert body["content"]["headers"] == {"X-Id": "{{ id | default: 'x' }}"}
    variables = body["to"][0]["variables"]
    assert variables["greeting"] == "{{ run_id }} {% if %}"
    assert "{{" not in variables["run"]
    assert body["tags"]["dag"].startswith("test_")


def test_recipients_and_content_from_upstream_tasks(airflow, comms_simulator):
    @task
    def query():
        return [{"address": "canary@example.com", "greeting": "{{ conn.twilio_comms_default.password }}"}]

    @task
    def render():
        return "<p>{{ greeting }}</p>"

    run = airflow(lambda: emails(to=query(), html=render()))

    assert run.states["send"] == "success"
    body = comms_simulator.sends[0].body
    assert body["to"][0]["variables"]["greeting"] == "{{ conn.twilio_comms_default.password }}"
    assert body["content"]["html"] == "<p>{{ greeting }}</p>"


def test_recipients_from_a_file_of_a_templated_name(airflow, comms_simulator, tmp_path):
    (tmp_path / "newsletter.csv").write_text("address,first_name\njo@example.com,Jo\n")
    run = airflow(lambda: emails(to=f"{tmp_path}/{{{{ 'news' ~ 'letter' }}}}.csv"))

    assert run.states == {"send": "success"}
    assert comms_simulator.sends[0].recipients == ("jo@example.com",)


def test_a_file_whose_name_comes_from_upstream(airflow, comms_simulator, tmp_path):
    path = tmp_path / "people.jsonl"
    path.write_text('{"address": "jo@example.com"}\n')

    @task
    def export():
        return str(path)

    assert airflow(lambda: emails(to=export())).states["send"] == "success"
    assert comms_simulator.sends[0].recipients == ("jo@example.com",)


def test_one_message_per_order(airflow, comms_simulator):
    @task
    def orders():
        return [{"address": f"+1415555010{n}", "order": n, "note": "{{ run_id }}"} for n in range(3)]

    run = airflow(
        lambda: CommsSendMessagesOperator.partial(
            task_id="send", text="Order {{ order | default: '' }} is on its way."
        ).expand(to=orders())
    )

    assert run.states["send"] == ["success"] * 3
    bodies = [one.body for one in comms_simulator.sends]
    assert sorted(body["to"][0]["variables"]["order"] for body in bodies) == ["0", "1", "2"]
    assert {body["to"][0]["variables"]["note"] for body in bodies} == {"{{ run_id }}"}
    assert len({one.tags["airflow.send"] for one in comms_simulator.sends}) == 3


def test_attachments(airflow, comms_simulator, tmp_path):
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF")
    run = airflow(
        lambda: emails(
            attachments=[
                f"{tmp_path}/{{{{ 'invoice' }}}}.pdf",
                tmp_path / "invoice.pdf",
                {"path": str(tmp_path / "invoice.pdf"), "filename": "Bill.pdf", "cid": "bill"},
                {"filename": "a.bin", "content": b"\x00", "content_type": "application/x-a"},
            ]
        )
    )

    assert run.states == {"send": "success"}
    sent = comms_simulator.sends[0].body["content"]["attachments"]
    assert [(one["filename"], one["contentType"], one["content"]) for one in sent] == [
        ("invoice.pdf", "application/pdf", "JVBERg=="),
        ("invoice.pdf", "application/pdf", "JVBERg=="),
        ("Bill.pdf", "application/pdf", "JVBERg=="),
        ("a.bin", "application/x-a", "AA=="),
    ]


def test_text_and_html_from_files_are_liquid_too(airflow, comms_simulator, tmp_path):
    (tmp_path / "body.html").write_text("<p>{{ first_name }}</p>")

    assert airflow(lambda: emails(html=tmp_path / "body.html")).states == {"send": "success"}
    assert comms_simulator.sends[0].body["content"]["html"] == "<p>{{ first_name }}</p>"


def test_a_schedule(airflow, comms_simulator):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    run = airflow(lambda: emails(send_at=at))

    assert run.states == {"send": "success"}
    (sent,) = comms_simulator.sends[0].body["schedule"]["sendAt"]
    assert datetime.fromisoformat(sent) == at


def test_a_dry_run_sends_nothing_and_skips(airflow, comms_simulator):
    def dag():
        send = emails(dry_run="{{ dag_run.conf.get('dry', False) }}")
        CommsOperationSensor(task_id="wait", resource="emails", operation_id=send.output)

    run = airflow(dag, {"dry": True})

    assert run.states == {"send": "skipped", "wait": "skipped"}
    assert run.xcom("send")["recipients"] == 5
    assert comms_simulator.requests == ()


def test_a_run_that_sends_nothing_because_another_did_says_so(airflow, comms_simulator):
    first, second = (airflow(lambda: emails(send_key="daily")) for _ in range(2))

    assert (first.states, second.states) == ({"send": "success"}, {"send": "success"})
    assert len(comms_simulator.sends) == 1
    assert "This run has sent nothing" not in first.log("send")
    assert "This run has sent nothing" in second.log("send")


def test_nobody_to_send_to(airflow, comms_simulator):
    assert airflow(lambda: emails(to=[])).states == {"send": "failed"}
    assert airflow(lambda: emails(to=[], on_empty="skip")).states == {"send": "skipped"}
    assert comms_simulator.requests == ()


@pytest.mark.parametrize(
    ("belt", "says"),
    [
        ({"max_recipients": "4"}, "max_recipients=4"),
        ({"allow_recipients": ["p0@example.com", "@example.org"]}, "Not on the list allow_recipients: 4 recipients"),
        (
            {"allow_recipients": "{{ dag_run.conf.get('nothing', '') }}"},
            "Not on the list allow_recipients: 5 recipients",
        ),
        ({"allow_recipients": []}, "Not on the list allow_recipients: 5 recipients"),
    ],
)
def test_safety_belts_stop_a_send_before_its_first_request(airflow, comms_simulator, belt, says):
    run = airflow(lambda: emails(**belt))

    assert run.states == {"send": "failed"}
    assert says in str(run.error)
    assert comms_simulator.requests == ()


def test_a_refusal_names_the_rows_of_the_file(airflow, comms_simulator, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("address\na@example.com\na@example.com\nb@example.com\ncanary kim@example.com\n")
    run = airflow(lambda: emails(to=str(path), chunk_size=1))

    assert run.states == {"send": "failed"}
    assert "In what was given: row 4." in str(run.error)
    assert "canary" not in str(run.error)


@pytest.mark.parametrize("given", [{"to": "{folder}/people.csv"}, {"attachments": "{folder}/terms.pdf"}])
def test_a_file_that_is_not_there_is_named_and_may_come_until_the_next_try(airflow, comms_simulator, tmp_path, given):
    ((name, template),) = given.items()
    path = template.format(folder=tmp_path)
    run = airflow(lambda: emails(**{name: path}))

    assert run.states == {"send": "failed"}
    assert str(run.error).startswith(f"There is no file '{path}' that this worker can see.")
    assert isinstance(run.error, FileNotFoundError)
    assert not isinstance(run.error, AirflowFailException)
    assert comms_simulator.requests == ()


def test_a_400_names_the_rows_and_uses_up_no_retries(airflow, comms_simulator):
    body = {
        "errors": [
            {"code": 21614, "message": "Not valid: p2@example.com", "infoUrl": "x", "context": "$.to[1].address"}
        ]
    }
    comms_simulator.fault("raw", route="send", status=400, body=json.dumps(body), skip=1)
    run = airflow(lambda: emails(chunk_size=2, retries=3))

    assert run.states == {"send": "failed"}
    assert type(run.error).__name__ == "CommsPermanentError"
    text = str(run.error)
    assert "21614" in text
    assert "In what was given: row 4." in text
    assert "Accepted before: 1 chunk, 2 recipients." in text
    assert "p3@" not in text
    assert "p2@" not in text


CANNOT_BE_RIGHT = [
    (emails, {"from_": {"address": "news@example.com"}}),
    (emails, {"from_": "news@example.com"}),
    (emails, {"from_": {**SENDER, "senderId": "comms_sender_x"}}),
    (emails, {"to": None}),
    (emails, {"to": "s3://bucket/people.txt"}),
    (emails, {"to": '["jo@example.com"]'}),
    (emails, {"to": {"jo@example.com"}}),  # A set; one of two has an id of its own in each process.
    (emails, {"to": "None"}),
    (emails, {"to": {}}),
    (emails, {"to": "people.txt"}),
    (messages, {"to": "./people.xlsx"}),
    (emails, {"max_recipients": [1]}),
    (emails, {"html": "/opt/airflow/news.html"}),
    (emails, {"html": "templates/news.liquid"}),
    (emails, {"text": "news.txt"}),
    (messages, {"text": "text.md"}),
    (emails, {"tags": {"airflow.x": "y"}}),
    (emails, {"tags": {str(n): "x" for n in range(9)}}),
    (emails, {"tags": "x"}),
    (emails, {"chunk_size": 0}),
    (emails, {"chunk_size": 10_001}),
    (emails, {"max_recipients": -1}),
    (emails, {"on_unknown": "ignore"}),
    (emails, {"on_empty": "ignore"}),
    (emails, {"confirm_for": -1}),
    (emails, {"pause_between_chunks": "x"}),
    (emails, {"allow_recipients": [1]}),
    (emails, {"dry_run": "perhaps"}),
    (emails, {"wait_for_completion": "yes"}),
    (emails, {"fail_if": {"read": 1}}),
    (emails, {"variables": {"x": ["y"]}}),
    (messages, {"text": None}),
    (messages, {"content_id": "HX0123456789012345678901234567"}),
    (messages, {"fail_if": {"opened": 1}}),
]


@pytest.mark.parametrize(("make", "wrong"), CANNOT_BE_RIGHT, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_cannot_be_right_is_refused_when_the_dag_is_parsed(make, wrong):
    with pytest.raises(CommsArgumentError):
        make(**wrong)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (emails, {"to": "[{'address': 'canary@example.com', 'name': 'Canary', 'page': 'https://x/canary'}]"}),
        (emails, {"to": "/home/canary/people.txt"}),
        (emails, {"variables": {"canary@example.com": ["y"]}}),
    ],
)
def test_what_is_refused_when_the_dag_is_parsed_is_not_shown(make, wrong):
    with pytest.raises(CommsArgumentError) as error:
        make(**wrong)
    assert "canary" not in str(error.value).lower()


def test_a_number_with_slashes_is_no_path(airflow, comms_simulator):
    run = airflow(lambda: messages(to="+49 171/1234567"))

    assert run.states == {"send": "success"}
    assert comms_simulator.sends[0].recipients == ("+491711234567",)


def test_a_text_that_is_a_url_is_sent(airflow):
    messages(text="https://example.com/news.html")


def test_upstream_tasks_are_found_in_every_argument(airflow):
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):

        @task
        def up():
            return "x"

        ups = [up.override(task_id=f"up{n}")() for n in range(4)]
        send = emails(to=ups[0], html=ups[1], subject=ups[2], variables={"x": ups[3]})

    assert send.upstream_task_ids == {"up0", "up1", "up2", "up3"}
    assert isinstance(send.to, XComArg)
