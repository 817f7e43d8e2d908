"""Servers that tests may harm."""

import os
from collections.abc import Iterator

import pytest
from tests.e2e.faults.servers import Servers

from ltc_events.bus.local_broker import BrokerUnavailable


@pytest.fixture(scope="session")
def harmed() -> Iterator[Servers | BrokerUnavailable]:
    """Servers to be harmed, or why there are none."""
    try:
        servers = Servers()
    except BrokerUnavailable as error:
        yield error
    else:
        with servers:
            yield servers


@pytest.fixture
def servers(harmed: Servers | BrokerUnavailable, request: pytest.FixtureRequest) -> Servers:
    if isinstance(harmed, Servers):
        return harmed
    if os.environ.get("CI"):
        raise harmed
    pytest.skip(f"NOT RUN {request.node.name}: {harmed.message}")
