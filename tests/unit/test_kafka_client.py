"""What Kafka's client leaves behind, as far as our tests depend on it."""

import gc
import socket

import pytest
from kafka.errors import KafkaError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

MOMENT_MS = 300


@pytest.mark.parametrize("answers", [False, True], ids=["nobody is there", "nobody answers"])
def test_attempts_to_connect_leave_no_socket_to_the_collector(*, answers: bool) -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        if answers:
            listener.listen(0)
            for one in (first, second):  # whoever comes after them waits
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
        net = NetworkSelector(client_id="test")
        manager = KafkaConnectionManager(net, bootstrap_servers=f"127.0.0.1:{listener.getsockname()[1]}", client_id="test")
        net.start()
        with pytest.raises(KafkaError):
            manager.bootstrap(MOMENT_MS)
        manager.call_soon(manager.close)
        net.stop(timeout_ms=10 * MOMENT_MS)
        net.close()
        del net, manager
        gc.collect()  # warnings are errors
