"""Kafka's client leaves no socket to the garbage collector, as the tests change it."""

import socket

from kafka.net.inet import create_connection
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport

MORE_THAN_BUFFERS_HOLD = bytes(64 * 1024 * 1024)


def test_a_client_that_is_closed_with_bytes_left_to_send_closes_its_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        net = NetworkSelector()
        connected = net.run(create_connection, net, *server.getsockname())
        transport = KafkaTCPTransport(net, connected)
        transport.write(MORE_THAN_BUFFERS_HOLD)
        net.poll(timeout_ms=100)
        transport.close()
        net.close()
    assert connected.fileno() == -1
