"""What makes a send recognizable: a digest of its key and of its content, kept by Twilio as tags of each item."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEND_TAG = "airflow.send"
"""Tag that names the request: the same for every try of it, another for every other request."""
BODY_TAG = "airflow.body"
"""Tag that names what is sent, up to and with this request."""
RESERVED = "airflow."
MAX_OWN_TAGS = 2
_DIGITS = 32


def default_send_key(dag_id: str, run_id: str, task_id: str, map_index: int | None) -> str:
    """Return the key of a task instance. Its tries share it."""
    return json.dumps([dag_id, run_id, task_id, map_index])


def send_digest(send_key: str, chunk: int) -> str:
    """
    Return what identifies one request: 32 hexadecimal digits.

    :param send_key: of the whole send.
    :param chunk: number of the request, from 1.
    """
    return _digest(json.dumps([send_key, chunk]).encode())


def content_digests(bodies: Iterable[bytes]) -> Iterator[str]:
    """
    Return what identifies the content of a send, for each of its requests: 32 hexadecimal digits.

    It is of that request and of all before it. So whoever moves from a request that was accepted to a later one is
    noticed, and what was never accepted may be repaired.

    :param bodies: of the requests, in order, without the tags of this module.
    """
    whole = hashlib.sha256()
    for body in bodies:
        whole.update(len(body).to_bytes(8, "big"))
        whole.update(body)
        yield whole.hexdigest()[:_DIGITS]


def own_tags(send: str, content: str) -> dict[str, str]:
    """Return the tags that a request is found by again."""
    return {SEND_TAG: send, BODY_TAG: content}


def send_tag(send: str) -> str:
    """Return the tag of one request in the form in which it is looked up."""
    return f"{SEND_TAG}:{send}"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
