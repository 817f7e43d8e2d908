"""Sending messages so that each is kept: acknowledged by all replicas, in order, not doubled by a retry."""

from collections.abc import Iterable
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ltc_events.kernel.errors import LtcError

FLUSH_TIMEOUT_S = 30.0
LINGER_MS = 5
BATCH_BYTES = 256 * 1024
Message = tuple[bytes, bytes, Any]


class NotPublished(LtcError):
    """Kafka did not take {count} messages for {topic}: {reason}"""

    remedy = "they are sent again when the broker is back; nothing is lost"


class Publisher:
    """An idempotent producer. Not to be shared by threads."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            delivery_timeout_ms=int(FLUSH_TIMEOUT_S * 1000),
            request_timeout_ms=10_000,
            allow_auto_create_topics=False,
        )

    def publish(self, topic: str, messages: Iterable[Message]) -> int:
        """Send messages and wait until all are acknowledged; how many. Raises NotPublished."""
        futures = []
        try:
            for key, value, headers in messages:
                futures.append(self._producer.send(topic, value=value, key=key, headers=list(headers)))
            self._producer.flush(timeout=FLUSH_TIMEOUT_S)
            for future in futures:
                future.get(timeout=0)
        except KafkaError as error:
            raise NotPublished(count=len(futures), topic=topic, reason=error) from error
        return len(futures)

    def close(self) -> None:
        """Close the connections."""
        self._producer.close(timeout=5)
