"""The upstream services of a run: they send until Kafka has acknowledged all, whatever happens to it meanwhile."""

import queue
import threading
import time

from ltc_events.bus.connection_check import BusUnreachable
from ltc_events.bus.publisher import NotPublished, Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topics import COMMANDS, Bus

PAUSE_S = 0.2


class Sender:
    """Sends in a thread of its own, in the order given. What was not acknowledged is sent again, all of it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._given: queue.Queue[list[Outgoing]] = queue.Queue()
        self._closing = False
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def send(self, messages: list[Outgoing]) -> None:
        """Let messages be sent next."""
        if messages:
            self._given.put(messages)

    def done(self) -> bool:
        """Whether everything was acknowledged."""
        return not self._given.unfinished_tasks

    def close(self) -> None:
        """End, and leave what was not acknowledged."""
        self._closing = True
        self._given.put([])
        self._thread.join()

    def _work(self) -> None:
        publisher: Publisher | None = None
        while not self._closing:
            messages = self._given.get()
            while not self._closing:
                try:
                    publisher = publisher or Publisher(self._bus, stopping=lambda: self._closing)
                    publisher.publish(self._bus.topic(COMMANDS), messages)
                    break
                except (BusUnreachable, NotPublished):
                    if publisher:
                        publisher.close()
                    publisher = None
                    time.sleep(PAUSE_S)
            self._given.task_done()
        if publisher:
            publisher.close()
