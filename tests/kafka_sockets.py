"""Closes the sockets that Kafka's client (3.0.12) leaves to the garbage collector, whose warning fails whatever test runs then.

There are three kinds: connections that do not come about, TLS handshakes that fail, and connections of a client that is closed
while they have bytes left to send.
"""

import socket
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from kafka.net.inet import KafkaNetSocket
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport

_connect = KafkaNetSocket.sock_connect
_shake_hands = KafkaSSLTransport.handshake
_close = NetworkSelector.close
_connected: WeakKeyDictionary[NetworkSelector, WeakSet[socket.socket]] = WeakKeyDictionary()
"""By event loop of a client the sockets that it has connected."""


def close_all_sockets() -> None:
    """From now on a client that is closed has no open socket."""
    KafkaNetSocket.sock_connect = _connect_or_close
    KafkaSSLTransport.handshake = _shake_hands_or_close
    NetworkSelector.close = _close_with_sockets


async def _connect_or_close(client: Any, net: NetworkSelector, sock: socket.socket, *where: Any, **more: Any) -> socket.socket:
    try:
        connected: socket.socket = await _connect(client, net, sock, *where, **more)
    except BaseException:
        sock.close()
        raise
    _connected.setdefault(net, WeakSet()).add(connected)
    return connected


async def _shake_hands_or_close(transport: Any) -> None:
    try:
        await _shake_hands(transport)
    except BaseException:
        transport._sock.close()
        raise
    _connected.setdefault(transport._net, WeakSet()).add(transport._sock)


def _close_with_sockets(net: NetworkSelector) -> None:
    _close(net)
    for sock in _connected.pop(net, ()):
        sock.close()
