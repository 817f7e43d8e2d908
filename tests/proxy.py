"""A TCP proxy before PostgreSQL that understands just enough of the protocol to break a connection where it hurts."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ltc_events.store import Database


class Message(NamedTuple):
    """One message of PostgreSQL's protocol."""

    kind: bytes
    body: bytes


Predicate = Callable[[Message], bool]


def committed(reply: Message) -> bool:
    """The server says that a transaction is committed: a batch's COMMIT, or a lone command's single statement."""
    return reply.kind == b"C" and reply.body.startswith((b"COMMIT", b"INSERT"))


def asks_for_rows(reply: Message) -> bool:
    """The server is ready for the rows of a COPY."""
    return reply.kind == b"G"


class LastRows:
    """The client has sent the last rows of a COPY, for the `copies`-th time: a commit of ours has two."""

    def __init__(self, copies: int = 2) -> None:
        self._left = copies

    def __call__(self, request: Message) -> bool:
        self._left -= request.kind == b"c"
        return self._left == 0 and request.kind == b"c"


class Proxy:
    """Stands before a database, at `database`. Set `cut_reply` or `cut_request` to what the connection shall break at.

    That happens `times` times, once unless told otherwise. The client is cut off before the message is passed on. A
    reply is dropped; a request reaches the server `hold_s` seconds later, or never (None), in which case the server
    finds its connection gone.
    """

    def __init__(self, target: Database) -> None:
        info = conninfo_to_dict(target.conninfo)
        self._target = str(info["host"]), int(info.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.database = Database(make_conninfo(target.conninfo, host=host, port=port, sslmode="disable", gssencmode="disable"))
        self.cut_reply: Predicate | None = None
        self.cut_request: Predicate | None = None
        self.hold_s: float | None = None
        self.times = 1
        self.cuts = 0
        self._live: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> int:
        """Cut all connections; how many. New ones are taken."""
        live = list(self._live)
        for one in live:
            _cut(one)
        return len(live) // 2

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _count(self) -> None:
        self.cuts += 1
        if self.cuts >= self.times:
            self.cut_reply = self.cut_request = None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its messages come one by one
            try:
                server = self._connect()
            except OSError:  # the database is away
                client.close()
                continue
            self._live.update((client, server))
            for work in (self._requests, self._replies):
                thread = threading.Thread(target=work, args=(client, server), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self) -> socket.socket:
        host, port = self._target
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with server, _cut_on_error(client, server):
            for message, raw in _messages(client, is_client=True):
                due = self.cut_request
                if due and due(message):
                    self._count()
                    _cut(client)
                    if self.hold_s is None:
                        _cut(server)
                        return
                    time.sleep(self.hold_s)
                    server.sendall(raw)
                    time.sleep(self.hold_s)  # time to commit before the server finds nobody there
                    return
                server.sendall(raw)
            server.shutdown(socket.SHUT_WR)

    def _replies(self, client: socket.socket, server: socket.socket) -> None:
        with client, _cut_on_error(client, server):
            for message, raw in _messages(server, is_client=False):
                due = self.cut_reply
                if due and due(message):
                    self._count()
                    _cut(client)
                    _cut(server)
                    return
                client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
        self._live.difference_update((client, server))


@contextmanager
def _cut_on_error(*connections: socket.socket) -> Iterator[None]:
    """One that is broken would stay open: the other direction still reads from it."""
    try:
        yield
    except OSError:
        for one in connections:
            _cut(one)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _messages(connection: socket.socket, *, is_client: bool) -> Iterator[tuple[Message, bytes]]:
    """The messages that arrive, with their bytes. A client's first one has no kind."""
    kind_size = 0 if is_client else 1
    with connection.makefile("rb") as incoming:
        while head := incoming.read(kind_size + 4):
            body = incoming.read(int.from_bytes(head[kind_size:], "big") - 4)
            yield Message(head[:kind_size], body), head + body
            kind_size = 1
