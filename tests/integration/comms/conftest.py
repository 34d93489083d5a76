"""The client in both its forms, a simulator of one's own, and a socket server that answers whatever a test wants."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.sending.requests import EmailSend
from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy, Timeouts
from airflow_provider_comms.simulator import Simulator

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

QUICK = {"backoff_base": 0.002, "backoff_cap": 0.01, "attempt_timeout": 5.0, "call_timeout": 10.0}
_TIMEOUTS, _RETRY = Timeouts.__dataclass_fields__, RetryPolicy.__dataclass_fields__
RESET = struct.pack("ii", 1, 0)
ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
EMAIL_OPERATION = {
    "id": ID,
    "status": "PROCESSING",
    "stats": {"total": 5, "recipients": 5, "delivered": 3},
    "createdAt": "2026-11-20T10:00:00Z",
    "updatedAt": "2026-11-20T10:00:05Z",
}


class SyncDriver:
    """The blocking client."""

    name = "sync"

    def __init__(self, settings: ClientSettings) -> None:
        self.client = CommsClient(settings)

    def get(self, resource: str, operation_id: Any) -> Any:
        return self.client.get_operation(resource, operation_id)

    def try_many(self, resource: str, ids: Iterable[str]) -> dict[str, Any]:
        return self.client.try_operations(resource, ids)

    def side_by_side(self, ids: list[str], resource: str = "emails") -> list[Any]:
        """Fetch in as many threads as there are ids; the operation or error of each."""

        def one(operation_id: str) -> Any:
            try:
                return self.get(resource, operation_id)
            except CommsError as error:
                return error

        with ThreadPoolExecutor(len(ids)) as pool:
            return list(pool.map(one, ids))

    def send(self, request: Any) -> Any:
        """Send an e-mail or a message."""
        return getattr(self.client, f"send_{request.resource}")(request)

    def find(self, *args: Any, **kwargs: Any) -> Any:
        return self.client.find_sends(*args, **kwargs)

    def list(self, resource: str, **filters: Any) -> list[Any]:
        return list(self.client.list_operations(resource, **filters))

    def begin_listing(self, resource: str, **filters: Any) -> Any:
        """Call, without taking anything."""
        return self.client.list_operations(resource, **filters)

    def take(self, count: int, resource: str, **filters: Any) -> list[Any]:
        """Take some of a list, then leave it."""
        listing = self.client.list_operations(resource, **filters)
        taken = [next(listing) for _ in range(count)]
        listing.close()
        return taken

    def close(self) -> None:
        self.client.close()


class AsyncDriver:
    """The async client, on a loop of its own."""

    name = "async"

    def __init__(self, settings: ClientSettings) -> None:
        self.runner = asyncio.Runner()
        self.client = self.runner.run(self._made(settings))

    @staticmethod
    async def _made(settings: ClientSettings) -> AsyncCommsClient:
        return AsyncCommsClient(settings)

    def get(self, resource: str, operation_id: Any) -> Any:
        return self.runner.run(self.client.get_operation(resource, operation_id))

    def try_many(self, resource: str, ids: Iterable[str]) -> dict[str, Any]:
        return self.runner.run(self.client.try_operations(resource, ids))

    def side_by_side(self, ids: list[str], resource: str = "emails") -> list[Any]:
        """Fetch in as many tasks as there are ids; the operation or error of each."""

        async def all_of_them() -> list[Any]:
            fetches = (self.client.get_operation(resource, one) for one in ids)
            return await asyncio.gather(*fetches, return_exceptions=True)

        return self.runner.run(all_of_them())

    def send(self, request: Any) -> Any:
        """Send an e-mail or a message."""
        return self.runner.run(getattr(self.client, f"send_{request.resource}")(request))

    def find(self, *args: Any, **kwargs: Any) -> Any:
        return self.runner.run(self.client.find_sends(*args, **kwargs))

    def list(self, resource: str, **filters: Any) -> list[Any]:
        async def whole() -> list[Any]:
            return [operation async for operation in self.client.list_operations(resource, **filters)]

        return self.runner.run(whole())

    def begin_listing(self, resource: str, **filters: Any) -> Any:
        """Call, without taking anything."""
        return self.client.list_operations(resource, **filters)

    def take(self, count: int, resource: str, **filters: Any) -> list[Any]:
        """Take some of a list, then leave it."""

        async def some() -> list[Any]:
            async with aclosing(self.client.list_operations(resource, **filters)) as listing:
                return [await anext(listing) for _ in range(count)]

        return self.runner.run(some())

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


DRIVERS = (SyncDriver, AsyncDriver)


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.name)
def driver(request):
    """The kind of client that the whole behavioural suite is run with: sync, then async."""
    return request.param


@pytest.fixture
def make_client(driver):
    """Make clients of one kind; they are closed after the test."""
    made = []

    def make(settings: ClientSettings) -> Any:
        made.append(driver(settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client, simulator, settings_for):
    """A client of the simulator, which retries quickly."""
    return make_client(settings_for(simulator))


@pytest.fixture
def simulator():
    """A simulator with an account of its own: what the process remembers of another one does not touch it."""
    with Simulator(account_sid="AC" + uuid4().hex) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def settings_for():
    """Settings that lead to a server, with quick retries; keywords are those of a connection, or the settings."""

    def make(server: Simulator | RawServer, **changes: Any) -> ClientSettings:
        changes = QUICK | changes
        timeouts = {name: changes.pop(f"{name}_timeout") for name in _TIMEOUTS if f"{name}_timeout" in changes}
        retry = {name: changes.pop(name) for name in _RETRY if name in changes}
        known = isinstance(server, Simulator)
        given = {
            "username": server.account_sid if known else "AC" + uuid4().hex,
            "password": server.auth_token if known else "raw-servers-secret",
            "base_url": server.url,
            "name": "connection under test",
        }
        return ClientSettings(**(given | changes), timeouts=Timeouts(**timeouts), retry=RetryPolicy(**retry))

    return make


@dataclass
class Exchange:
    """
    One request that came in over a raw socket.

    :param head: all that was sent, up to the empty line.
    :param number: of the request at this server, from 1.
    :param body: what of the body has been read.
    """

    head: bytes
    number: int
    connection: socket.socket
    stopping: threading.Event
    body: bytes = b""
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def target(self) -> str:
        return self.head.split(b" ")[1].decode()

    def header(self, name: str) -> str | None:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        found = dict(line.split(": ", 1) for line in lines if ": " in line)
        return {key.lower(): value for key, value in found.items()}.get(name.lower())

    def read_body(self, share: float = 1.0) -> bytes:
        """Read the body, or a part of it."""
        wanted = int(int(self.header("content-length") or 0) * share)
        while len(self.body) < wanted and (data := self.connection.recv(min(65536, wanted - len(self.body)))):
            self.body += data
        return self.body

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, every: float) -> None:
        """Send byte by byte until the client leaves."""
        with suppress(OSError):
            for at in range(len(data)):
                self.send(data[at : at + 1])
                if self.stopping.wait(every):
                    return

    def silence(self) -> None:
        """Wait until the client leaves, and note that it did."""
        self.connection.settimeout(0.02)
        while not self.stopping.is_set():
            try:
                if not self.connection.recv(1024):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            return
        self.left.set()

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()


class RawServer:
    """
    Listens on loopback and answers with whatever it is told.

    :param answer: bytes for every request, or a function that is given each :class:`Exchange`. May be changed.
    :param tls: wraps the connections.
    """

    def __init__(self, answer: bytes | Callable[[Exchange], Any], tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.exchanges: list[Exchange] = []
        self.accepted = 0
        self._tls = tls
        self._stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                if self._stopping.is_set():
                    connection.close()
                    return
                self.accepted += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        while data := self._read_head(connection):
            head, end, body = data.partition(b"\r\n\r\n")
            with self._lock:
                exchange = Exchange(head + end, len(self.exchanges) + 1, connection, self._stopping, body)
                self.exchanges.append(exchange)
            if isinstance(self.answer, bytes):
                exchange.read_body()
                exchange.send(self.answer)
            elif self.answer(exchange) is HANG_UP:
                return

    def _read_head(self, connection: socket.socket) -> bytes:
        """Read until there is a whole head; the body may have begun behind it."""
        head = b""
        connection.settimeout(0.05)
        while b"\r\n\r\n" not in head and not self._stopping.is_set():
            try:
                data = connection.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return b""
            head += data
        connection.settimeout(5)
        return head

    def stop(self) -> None:
        self._stopping.set()
        # A thread that waits in accept() does not notice that its socket is closed: knock.
        with suppress(OSError), socket.create_connection(self._listening.getsockname(), 1):
            pass
        for thread in self._threads:
            thread.join(2)
        self._listening.close()


HANG_UP = object()


@pytest.fixture
def raw_server():
    """Make raw servers; they are stopped after the test."""
    made = []

    def make(answer: bytes | Callable[[Exchange], Any], tls: ssl.SSLContext | None = None) -> RawServer:
        made.append(RawServer(answer, tls))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def one_raw_server():
    """A raw server for many examples; each sets its answer."""
    server = RawServer(b"")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def hang_up():
    """What an answer function returns to end the connection."""
    return HANG_UP


@pytest.fixture(scope="session")
def http():
    """Write an answer as it goes over the wire."""

    def write(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
        given = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in given.items() if value)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    return write


@pytest.fixture(scope="session")
def within():
    """Assert that the block takes less than so many seconds; as much more as the machine is busy."""

    @contextmanager
    def measure(seconds: float) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            assert time.monotonic() - began < seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))

    return measure


@pytest.fixture(scope="session")
def eventually():
    """Wait for something to become true, which it should at once."""

    def wait(condition: Callable[[], Any], seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    return wait


class OperationJson:
    """The JSON of an operation as bytes."""

    id = ID

    def __call__(self, **changes: Any) -> bytes:
        return json.dumps(EMAIL_OPERATION | changes).encode()


@pytest.fixture(scope="session")
def operation_json():
    """Write an operation's JSON, with changes if there are any."""
    return OperationJson()


@pytest.fixture(scope="session")
def email():
    """Make an e-mail to a few recipients, with changes if there are any."""

    def make(count: int = 2, **changes: Any) -> EmailSend:
        to = [{"address": f"canary{n}@example.com", "variables": {"name": f"Kanari {n}"}} for n in range(count)]
        sender = {"address": "news@example.com", "name": "News"}
        return EmailSend(**({"from_": sender, "to": to, "subject": "Hello", "html": "<p>Hello</p>"} | changes))

    return make
