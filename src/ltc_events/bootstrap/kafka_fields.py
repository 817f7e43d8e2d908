"""What is set of Kafka, field by field: one table for the settings, the flags of the line and the docs.

It imports nothing that does work: `ltc --help` shows it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class KafkaField(NamedTuple):
    """One setting."""

    meaning: str
    """A clause without a full stop."""
    default: str | None = None
    kind: type[str] | type[Path] = str


KAFKA_FIELDS: Mapping[str, KafkaField] = {
    "kafka_bootstrap": KafkaField("Kafka, as host:port,...; without it there is no bus"),
    "kafka_prefix": KafkaField("what names of topics and groups begin with: one per ledger on a cluster", "ltc"),
    "kafka_source": KafkaField(
        "the source whose commands are meant, on a topic of their own, to which Kafka lets it alone write: with `webshop`, "
        "`ltc.commands.webshop`; without it `ltc.commands`, which is everybody's"
    ),
    "kafka_security_protocol": KafkaField(
        "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL: whether TLS is spoken with Kafka, and whether we say by SASL who we are",
        "PLAINTEXT",
    ),
    "kafka_ca_file": KafkaField(
        "certificates (PEM) of the authorities that Kafka's certificate is believed from; by default the system's. The name in "
        "it is always checked",
        kind=Path,
    ),
    "kafka_certificate_file": KafkaField("our certificate (PEM, with its chain), where Kafka asks for one", kind=Path),
    "kafka_key_file": KafkaField("its key (PEM); by default in the file of the certificate", kind=Path),
    "kafka_key_password_file": KafkaField("a file with the password of that key", kind=Path),
    "kafka_sasl_mechanism": KafkaField(
        "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER: how we say by SASL who we are", "SCRAM-SHA-512"
    ),
    "kafka_username": KafkaField("who we are at Kafka; with OAUTHBEARER the client's id"),
    "kafka_password_file": KafkaField(
        "a file with the password, or with the client's secret; read anew whenever a client is opened", kind=Path
    ),
    "kafka_token_url": KafkaField(
        "where OAUTHBEARER's tokens come from, by client credentials; https, on this machine also http"
    ),
    "kafka_token_scope": KafkaField("the scope that they are asked for"),
}
