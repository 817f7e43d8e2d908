"""Headers that are filled into a shape are those that are packed one by one, and say of an event what it is."""

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.headers import Shape, wired
from ltc_events.schemas.record import RawRecord
from ltc_events.schemas.tracing import Trace

names = st.text(min_size=1, max_size=80)
contents = st.binary(max_size=200) | st.binary(min_size=4_090, max_size=4_100)
headers = st.lists(st.tuples(names, contents, st.booleans()), max_size=12)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine that has much else to do
@given(headers, st.lists(st.tuples(names, contents), max_size=3))
def test_a_shape_packs_as_one_by_one(found: list[tuple[str, bytes, bool]], more: list[tuple[str, bytes]]) -> None:
    pairs = [(name, content) for name, content, _ in found]
    shape = Shape(*((name, content) if is_constant else name for name, content, is_constant in found))
    filled = shape.filled(*(content for _, content, is_constant in found if not is_constant))
    assert (filled.data, filled.count) == (wired(pairs).data, len(pairs))
    assert list(filled) == pairs
    longer = filled.followed_by(more)
    assert (list(longer), longer.count) == ([*pairs, *more], len(pairs) + len(more))


def test_an_event_is_told_by_its_headers() -> None:
    ids = [UUID(int=number) for number in range(1, 6)]
    subject, customer, command, correlation, causation = ids
    occurred, recorded = datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC), datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    record = RawRecord(
        77, subject, 3, "x.y.v1", b"{}", customer, occurred, date(2026, 1, 1), recorded, command, correlation, causation, "ann"
    )
    expected = {
        "ce_specversion": "1.0",
        "ce_id": "77",
        "ce_source": "ltc-events",
        "ce_type": "ltc.x.y.v1",
        "ce_subject": str(subject),
        "ce_time": "2026-01-02T03:04:05.600000Z",
        "ce_partitionkey": str(customer),
        "ce_position": "77",
        "ce_version": "3",
        "ce_effectiveon": "2026-01-01",
        "ce_recordedat": "2026-02-03T04:05:06Z",
        "ce_commandid": str(command),
        "ce_correlationid": str(correlation),
        "ce_causationid": str(causation),
        "ce_actor": "ann",
        "content-type": "application/json",
        "ce_customerid": str(customer),
    }

    def told(*given: object) -> dict[str, str]:
        key, value, found = event_message(*given)  # type: ignore[arg-type]
        assert (key, value) == (expected["ce_partitionkey"].encode(), b"{}")
        return {name: str(content, "utf-8") for name, content in found if content is not None}

    assert told(record) == expected
    trace = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b")
    assert told(record, trace) == expected | {"traceparent": trace.parent, "tracestate": "a=b"}
    assert told(record, trace, "2-ab") == expected | {"traceparent": trace.parent, "tracestate": "a=b", "ce_epoch": "2-ab"}
    del expected["ce_customerid"]
    expected["ce_partitionkey"] = str(subject)
    assert told(record._replace(customer_id=None)) == expected
