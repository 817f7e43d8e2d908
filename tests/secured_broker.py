"""A real Kafka that lets in only who says who it is, and lets everybody do only what a list says: shared by a session's tests.

Listeners: SASL_SSL (all mechanisms), SSL (client certificates), and PLAINTEXT for the administrator, who may do all.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType
from tests.certificates import Authority
from tests.token_server import AUDIENCE, TokenServer

from ltc_events.bus.local_broker import BrokerUnavailable, LocalBroker
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import Bus

PARTITIONS = 2
WORKERS = ("command", "relay", "projector", "clock", "doctor", "init", "client")
_MODULES = "org.apache.kafka.common.security"
_OPERATIONS = (Path(__file__).parents[1] / "docs/operations.md").read_text(encoding="utf-8")
_numbers = count(1)


class Right(NamedTuple):
    """A right as the page for operators has it: an operation on a topic, a group, or the cluster."""

    operation: str
    kind: str
    name: str


class SecuredBroker(NamedTuple):
    """A broker that runs, its authority, a foreign one, passwords by user, and who gives tokens."""

    local: LocalBroker
    folder: Path
    authority: Authority
    stranger: Authority
    passwords: dict[str, str]
    tokens: TokenServer

    @property
    def administrator(self) -> Bus:
        return Bus(self.local.bootstrap)

    def password_file(self, user: str, password: str | None = None) -> Path:
        file = self.folder / f"{user}-{secrets.token_hex(4)}"
        file.write_text(f"{self.passwords[user] if password is None else password}\n", encoding="utf-8")
        return file

    def environment(self, user: str, prefix: str, *, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """The settings under which `ltc` comes as this user."""
        settings = {
            "LTC_KAFKA_BOOTSTRAP": self.local.address("SASL_SSL"),
            "LTC_KAFKA_PREFIX": prefix,
            "LTC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "LTC_KAFKA_CA_FILE": str(self.authority.file),
            "LTC_KAFKA_SASL_MECHANISM": mechanism,
            "LTC_KAFKA_USERNAME": user,
            "LTC_KAFKA_PASSWORD_FILE": str(self.password_file(user)),
        }
        oauth = {"LTC_KAFKA_TOKEN_URL": self.tokens.url, "LTC_KAFKA_TOKEN_SCOPE": "kafka"}
        return settings | (oauth if mechanism == "OAUTHBEARER" else {})

    def topics(self) -> Bus:
        """Topics of a test's own, as the administrator sees them."""
        bus = self.administrator._replace(prefix=f"s{os.getpid()}-{next(_numbers)}")
        create_topics(bus, PARTITIONS)
        return bus

    def grant(self, user: str, prefix: str, rights: Iterable[Right]) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.local.bootstrap)
        try:
            acls = [_acl(user, one, prefix) for one in rights]
            done = admin.create_acls(acls)
            assert not done.get("failed"), done
        finally:
            admin.close()


def documented_rights(worker: str) -> list[Right]:
    """What the page for operators says that this one needs; names without the prefix, `*` for all that begin with it."""
    (row,) = re.findall(rf"^\| `{worker}` \| (.*) \|$", _OPERATIONS, re.MULTILINE)
    kinds = ("topic", "group", "cluster")
    found = []
    for kind, cell in zip(kinds, row.split(" | "), strict=True):
        for names, operations in re.findall(r"((?:`[^`]+`(?:, )?)+): ([A-Z_, ]+)", cell):
            found += [
                Right(operation.strip(), kind, name)
                for name in re.findall(r"`([^`]+)`", names)
                for operation in operations.split(",")
                if operation.strip()
            ]
    return found


def _acl(user: str, right: Right, prefix: str) -> ACL:
    kind = ResourceType[right.kind.upper()]
    if right.kind == "cluster":
        name, pattern = "kafka-cluster", ACLResourcePatternType.LITERAL
    else:
        name = right.name.replace("ltc.", f"{prefix}.", 1)
        pattern = ACLResourcePatternType.PREFIXED if name.endswith("*") else ACLResourcePatternType.LITERAL
    operation = ACLOperation[right.operation]
    return ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name.rstrip("*"), pattern))


def _settings(authority: Authority, tokens: TokenServer, passwords: dict[str, str]) -> dict[str, str]:
    plain = " ".join(f'user_{name}="{word}"' for name, word in passwords.items())
    scram = f"{_MODULES}.scram.ScramLoginModule required;"
    door = "listener.name.sasl_ssl"
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.sign("broker", "localhost")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        "listener.name.ssl.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        f"{door}.plain.sasl.jaas.config": f"{_MODULES}.plain.PlainLoginModule required {plain};",
        f"{door}.scram-sha-256.sasl.jaas.config": scram,
        f"{door}.scram-sha-512.sasl.jaas.config": scram,
        f"{door}.oauthbearer.sasl.jaas.config": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
        f"{door}.oauthbearer.sasl.server.callback.handler.class": f"{_MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler",
        "sasl.oauthbearer.jwks.endpoint.url": tokens.keys_file.as_uri(),
        "sasl.oauthbearer.expected.audience": AUDIENCE,
    }


@pytest.fixture(scope="session")
def secured_or_none() -> Iterator[SecuredBroker | BrokerUnavailable]:
    """The broker of the session, or why there is none."""
    with tempfile.TemporaryDirectory(prefix="ltc-secured-") as name:
        folder = Path(name)
        authority, stranger = Authority(folder), Authority(folder, "stranger")
        passwords = {one: f"CANARY{secrets.token_hex(8)}" for one in WORKERS}
        users = [
            f"{mechanism}=[name={one},password={word}]"
            for one, word in passwords.items()
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        ]
        tokens = TokenServer(folder, dict(passwords))
        local = LocalBroker(
            folder / "kafka",
            listeners=("SASL_SSL", "SSL"),
            settings=_settings(authority, tokens, passwords),
            users=users,
            options=(f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens.keys_file.as_uri()}",),
        )
        try:
            local.start()
        except BrokerUnavailable as error:
            yield error
            return
        with tokens.serving():
            yield SecuredBroker(local, folder, authority, stranger, passwords, tokens)
        local.stop()


@pytest.fixture
def secured(secured_or_none: SecuredBroker | BrokerUnavailable, request: pytest.FixtureRequest) -> SecuredBroker:
    """The secured broker; without one, the test fails in CI and is reported as not run elsewhere."""
    if isinstance(secured_or_none, SecuredBroker):
        return secured_or_none
    if os.environ.get("CI"):
        raise secured_or_none
    pytest.skip(f"NOT RUN {request.node.name}: {secured_or_none.message}")
