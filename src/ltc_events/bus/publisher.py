"""Sending messages so that each is kept: acknowledged by all replicas, in order, not doubled by a retry."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from ltc_events.bus.topics import CONNECT_TIMEOUT_MS, MESSAGE_BYTES_MAX, Bus, BusUnreachable, reach
from ltc_events.kernel.errors import LtcError

PATIENCE_S = 30.0
# Whoever is told to stop waits so long for what it has sent.
FAREWELL_S = 3.0
LOOK_UP_S = 0.5
LINGER_MS = 5
BATCH_BYTES = 256 * 1024
# A message that the client gave up by itself would leave a gap before those that it goes on to send. We give up the
# whole client instead: what it has sent is then the beginning of what it was given.
NEVER_MS = 24 * 60 * 60 * 1000
Headers = Sequence[tuple[str, bytes]]
Outgoing = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers."""


class NotPublished(LtcError):
    """Kafka did not take all of {count} messages for {topic}: {reason}"""

    remedy = "they are sent again when the broker is back; nothing is lost. If it is there, run `ltc init --kafka`"


class Publisher:
    """An idempotent producer. Not to be shared by threads; of no more use once a `publish` has failed."""

    def __init__(self, bus: Bus, *, stopping: Callable[[], bool] = lambda: False) -> None:
        """Raises BusUnreachable. When `stopping` says so, publishing waits for a broker that is away no longer than needed."""
        self._stopping = stopping
        reach(bus)
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bus.bootstrap,
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                acks="all",
                enable_idempotence=True,
                linger_ms=LINGER_MS,
                batch_size=BATCH_BYTES,
                max_request_size=MESSAGE_BYTES_MAX,
                max_block_ms=CONNECT_TIMEOUT_MS,
                request_timeout_ms=10_000,
                delivery_timeout_ms=NEVER_MS,
                allow_auto_create_topics=False,
            )
        except KafkaError as error:
            raise BusUnreachable(bootstrap=bus.bootstrap, reason=error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, topic: str, messages: Iterable[Outgoing]) -> int:
        """Send messages and wait until all are acknowledged; how many. Raises NotPublished."""
        given = list(messages)
        try:
            futures = [self._producer.send(topic, value=value, key=key, headers=list(headers)) for key, value, headers in given]
            self._flush()
            for future in futures:
                future.get(timeout=0)
        except KafkaError as error:
            raise NotPublished(count=len(given), topic=topic, reason=str(error) or type(error).__name__) from error
        return len(given)

    def close(self) -> None:
        """Close the connections. What was not acknowledged is given up."""
        try:
            self._producer.close(timeout=LOOK_UP_S)
        except KafkaError:
            self._producer._sender.force_close()  # noqa: SLF001 - else it goes on sending in the background
            self._producer.close(timeout=LOOK_UP_S)

    def _flush(self) -> None:
        begun = time.monotonic()
        while True:
            try:
                self._producer.flush(timeout=LOOK_UP_S)
            except KafkaTimeoutError:
                if time.monotonic() - begun > (FAREWELL_S if self._stopping() else PATIENCE_S):
                    raise
            else:
                return
