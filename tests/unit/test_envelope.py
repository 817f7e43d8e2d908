"""What comes in from outside: what is refused about a command's data, and how the sender is told."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from ltc_events.kernel.ids import is_reserved, reserved_id
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.number_series import series_id
from ltc_events.schemas.outcome import Refusal
from ltc_events.schemas.undecodable import Undecodable, UnknownType
from ltc_events.store.decoding import decode

ID = "0190a000-0000-7000-8000-000000000001"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def command(type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": ID, "source": "test", "type": type, "subject": ID, "partitionkey": ID, "data": data}


def reasons(type: str, data: dict[str, Any]) -> tuple[Refusal, ...]:
    return parse(command(type, data), NOW).reasons


@pytest.mark.parametrize("amount", ["1e3", "1E+3", "1_000", " 1.00", "+1", ".5", "5.", "NaN", "Inf", "١٢", "1,5", "", 1, 1.5])
def test_amounts_are_written_as_the_published_schema_says(amount: Any) -> None:
    (reason,) = reasons("ltc.payment.receive.v1", {"amount": amount, "currency": "EUR"})
    assert (reason.code, reason.field) == ("malformed", "amount")
    assert reason.fix == 'write a decimal number as a string, for example "1234.50"'


@pytest.mark.parametrize("currency", ["ZZZ", "XXX", "EUX"])
def test_currencies_are_those_of_iso_4217(currency: str) -> None:
    (reason,) = reasons("ltc.payment.receive.v1", {"amount": "1.00", "currency": currency})
    assert (reason.code, reason.field) == ("unknown_value", "currency")
    assert reason.message == f"{currency} is not a currency of ISO 4217"


@pytest.mark.parametrize("currency", ["XAU", "XDR", "XTS"])
def test_a_currency_that_has_no_minor_unit_is_refused(currency: str) -> None:
    (reason,) = reasons("ltc.payment.receive.v1", {"amount": "1.00", "currency": currency})
    assert (reason.code, reason.field) == ("unknown_value", "currency")
    assert "of a currency that has a minor unit" in reason.fix


@pytest.mark.parametrize(
    ("field", "value", "message", "example"),
    [
        ("phone", "abc", "this is not a telephone number", "+49 30 1234567"),
        ("email", "not-an-address", "this is not an e-mail address", "ann@example.com"),
    ],
)
def test_a_malformed_contact_is_explained_in_words(field: str, value: str, message: str, example: str) -> None:
    """R-30."""
    (reason,) = reasons("ltc.customer.register.v1", {"profile": {"name": "Acme", field: value}})
    assert (reason.code, reason.field, reason.message) == ("malformed", f"profile.{field}", message)
    assert example in reason.fix


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("ann@mail", "should have a period"),
        ("ann..lee@mill.example", "two periods in a row"),
        ("ann@mill.local", "special-use or reserved"),
        ("ann@mill.example.", "end with a period"),
        ("Ann <ann@mill.example>", "angle brackets"),
    ],
)
def test_an_address_that_no_mail_reaches_is_refused_with_the_reason(email: str, why: str) -> None:
    """R-30. The pattern of before took the first three."""
    (reason,) = reasons("ltc.customer.register.v1", {"profile": {"name": "Acme", "email": email}})
    assert (reason.code, reason.field) == ("malformed", "profile.email")
    assert why in reason.fix


def test_the_domain_of_an_address_is_kept_in_small_letters() -> None:
    data = {"profile": {"name": "Acme", "email": "Ann.Lee@Mill.EXAMPLE"}}
    parsed: Any = parse(command("ltc.customer.register.v1", data), NOW)
    assert parsed.command.profile.email == "Ann.Lee@mill.example"


def test_a_stored_address_is_read_whatever_it_is() -> None:
    stored = {"profile": {"email": "ann@mill.local"}, "policy_version": 0}
    (event,) = decode("customer.registered.v1", orjson.dumps(stored), 1)
    assert orjson.loads(event.model_dump_json(exclude_defaults=True)) == stored


@pytest.mark.parametrize(("said", "kept"), [("DE", "DE"), ("de", "DE"), ("XK", "XK"), ("IC", "IC"), ("AQ", "AQ")])
def test_a_country_is_kept_as_its_code(said: str, kept: str) -> None:
    parsed: Any = parse(command("ltc.customer.register.v1", {"profile": {"name": "Acme", "country": said}}), NOW)
    assert parsed.command.profile.country == kept


@pytest.mark.parametrize(
    ("country", "fix"),
    [
        ("Germany", "write DE"),
        ("DEU", "write DE"),
        ("UK", "write GB"),
        ("AN", "use its two letters, for example DE"),  # is three countries today
        ("EU", "use its two letters, for example DE"),
        ("ZZ", "use its two letters, for example DE"),
        ("Deutschland", "use its two letters, for example DE"),
    ],
)
def test_what_is_no_code_of_a_country_is_refused_with_the_code_that_is_meant(country: str, fix: str) -> None:
    (reason,) = reasons("ltc.customer.register.v1", {"profile": {"name": "Acme", "country": country}})
    assert (reason.code, reason.field) == ("unknown_value", "profile.country")
    assert (reason.message, reason.fix) == (f"{country} is no country code of ISO 3166", fix)


def test_a_stored_country_is_read_whatever_it_is() -> None:
    stored = {"profile": {"country": "Germany"}, "policy_version": 0}
    (event,) = decode("customer.registered.v1", orjson.dumps(stored), 1)
    assert orjson.loads(event.model_dump_json(exclude_defaults=True)) == stored


def test_a_list_that_must_not_be_empty_says_so() -> None:
    (reason,) = reasons("ltc.quote.price.v1", {"lines": [], "requested_by": "Ann", "role": "sales"})
    assert (reason.code, reason.field, reason.fix) == ("missing_field", "lines", "give at least 1")


@pytest.mark.parametrize(
    ("type", "fix"),
    [
        ("ltc.lead.captured.v1", "ltc.lead.capture.v1"),
        ("lead.capture.v1", "ltc.lead.capture.v1"),
        ("ltc.order.palce.v1", "ltc.order.place.v1"),
        ("com.example.thing", "docs/commands-and-events.md"),
    ],
)
def test_an_unknown_type_suggests_the_nearest(type: str, fix: str) -> None:
    with pytest.raises(UnknownType) as raised:
        parse(command(type, {}), NOW)
    assert isinstance(raised.value, Undecodable)
    assert type in raised.value.message
    assert fix in raised.value.fix


def test_what_is_right_passes() -> None:
    message = parse(command("ltc.payment.receive.v1", {"amount": "1234.50", "currency": "KWD"}), NOW)
    assert message.reasons == ()
    assert message.command is not None
    assert message.customer_id == UUID(ID)


PAYMENT = {"amount": "1.00", "currency": "EUR"}
CUSTOMER = {"profile": {"name": "Acme"}}
SCREEN = {"specific_customer": True, "potential_intent": True, "can_take_part": True}


def fault(document: Any) -> Undecodable:
    with pytest.raises(Undecodable) as raised:
        parse(document, NOW)
    assert raised.value.fix
    return raised.value


@pytest.mark.parametrize(
    ("type", "data", "field", "fix"),
    [
        ("payment.receive", {**PAYMENT, "effective_on": 0}, "effective_on", "YYYY-MM-DD"),
        ("payment.receive", {**PAYMENT, "effective_on": "0"}, "effective_on", "YYYY-MM-DD"),
        ("payment.receive", {**PAYMENT, "effective_on": "2026-03-01T00:00:00"}, "effective_on", "YYYY-MM-DD"),
        ("payment.receive", {**PAYMENT, "effective_on": "2026-02-30"}, "effective_on", "YYYY-MM-DD"),
        ("payment.receive", {**PAYMENT, "effective_on": "0001-01-01"}, "effective_on", "at least 1900-01-01"),
        ("payment.receive", {**PAYMENT, "effective_on": "9999-12-31"}, "effective_on", "at most 2199-12-31"),
        ("payment.receive", {**PAYMENT, "effective_on": None}, "effective_on", "YYYY-MM-DD"),
        ("payment.receive", {**PAYMENT, "amount": True}, "amount", "decimal number as a string"),
        ("payment.receive", {**PAYMENT, "amount": "1" * 16}, "amount", "decimal number as a string"),
        ("payment.receive", {**PAYMENT, "amount": "0"}, "amount", "more than 0"),
        ("payment.receive", {**PAYMENT, "reference": 7}, "reference", "text in quotes"),
        ("payment.receive", {**PAYMENT, "reference": ""}, "reference", "at least 1 character"),
        ("payment.receive", {**PAYMENT, "reference": "x" * 301}, "reference", "shorten it to 300 characters"),
        ("payment.receive", {**PAYMENT, "references": {"crm": "x" * 301}}, "references.crm", "shorten it to 300 characters"),
        ("payment.receive", {**PAYMENT, "references": {str(one): "" for one in range(21)}}, "references", "at most 20"),
        ("payment.receive", {**PAYMENT, "references": []}, "references", "write an object"),
        ("payment.receive", {**PAYMENT, "method": "*"}, "method", "in the form"),
        (
            "lead.screen",
            {**SCREEN, "specific_customer": "yes"},
            "specific_customer",
            "true or",
        ),
        (
            "lead.screen",
            {**SCREEN, "specific_customer": 1},
            "specific_customer",
            "true or",
        ),
        ("lead.assign", {"candidates": {}}, "candidates", "write a list"),
        ("lead.assign", {"candidates": ["Ann"]}, "candidates.0", "write an object"),
        ("lead.schedule_follow_up", {"follow_up_id": ID, "due_at": 0}, "due_at", "offset from UTC"),
        ("lead.schedule_follow_up", {"follow_up_id": ID, "due_at": "2026-03-01T12:00:00"}, "due_at", "offset from UTC"),
        ("lead.schedule_follow_up", {"follow_up_id": ID, "due_at": "2026-02-30T12:00:00Z"}, "due_at", "offset from UTC"),
        ("lead.schedule_follow_up", {"follow_up_id": ID, "due_at": "3026-03-01T12:00:00Z"}, "due_at", "less than 2200"),
        ("lead.miss_follow_up", {"follow_up_id": ID.replace("-", "")}, "follow_up_id", "UUID with its hyphens"),
        ("lead.miss_follow_up", {"follow_up_id": "{" + ID[2:] + "}"}, "follow_up_id", "UUID with its hyphens"),
        ("lead.miss_follow_up", {"follow_up_id": 1}, "follow_up_id", "UUID with its hyphens"),
        ("invoice.send_dunning_notice", {"instalment": "1"}, "instalment", "whole number without quotes"),
        ("invoice.send_dunning_notice", {"instalment": True}, "instalment", "whole number without quotes"),
        ("invoice.send_dunning_notice", {"instalment": 121}, "instalment", "at most 120"),
        ("policy.publish", {"content": {"kind": "weather"}}, "content", "set 'kind' to one of"),
        ("policy.publish", {"content": {}}, "content", "give it a 'kind'"),
        ("customer.register", {"profile": {"name": "Acme", "nmae": 1}}, "profile.nmae", "leave it out"),
        ("customer.register", {"profile": {"name": "A\0B"}}, "profile.name", "leave the character U+0000 out of profile.name"),
    ],
)
def test_what_its_schema_does_not_say_is_refused_with_a_fix(type: str, data: dict[str, Any], field: str, fix: str) -> None:
    found = {reason.field: reason.fix for reason in reasons(f"ltc.{type}.v1", data)}
    assert fix in found[field]


def test_a_backslash_and_u0000_are_ordinary_text() -> None:
    name = "C:" + chr(92) + "u0000"
    document = orjson.dumps(command("ltc.customer.register.v1", {"profile": {"name": name}}))
    assert parse(document, NOW).reasons == ()
    assert reasons("ltc.customer.register.v1", {"profile": {"name": name + chr(0)}})[0].field == "profile.name"


@pytest.mark.parametrize(
    ("changes", "field", "fix"),
    [
        ({"subject": "x"}, "subject", "UUID with its hyphens"),
        ({"subject": ID.replace("-", "")}, "subject", "UUID with its hyphens"),
        ({"partitionkey": 5}, "partitionkey", "UUID with its hyphens"),
        ({"time": 0}, "time", "offset from UTC"),
        ({"time": "1700000000"}, "time", "offset from UTC"),
        ({"specversion": "0.3"}, "specversion", "set it to '1.0'"),
        ({"data": []}, "data", "as a JSON object"),
        ({"actor": ""}, "actor", "at least 1 character"),
        ({"actor": "a" * 301}, "actor", "shorten it to 300"),
        ({"actor": "a" + chr(0)}, "actor", "leave the character U+0000 out"),
        ({"source": "a" + chr(0)}, "source", "leave the character U+0000 out"),
        ({"type": "ltc.lead.captured.v1"}, "type", "did you mean"),
        ({"expectedversion": "first"}, "expectedversion", "a whole number"),
        ({"expectedversion": True}, "expectedversion", "a whole number"),
        ({"expectedversion": -1}, "expectedversion", "at least 0"),
        ({"acter": "Ann"}, "acter", "did you mean actor?"),
        ({"effectiveon": "2026-01-31"}, "effectiveon", "did you mean the field effective_on of data?"),
        ({"effective-on": "2026-01-31"}, "effective-on", "did you mean the field effective_on of data?"),
        ({"Actor": "Ann"}, "Actor", "did you mean actor?"),
        ({"tiem": "2026-03-01T12:00:00Z"}, "tiem", "did you mean time?"),
        ({"correlation_id": ID}, "correlation_id", "did you mean correlationid?"),
        ({"causation": ID}, "causation", "did you mean causationid?"),
        ({"expectedVersion": 1}, "expectedVersion", "did you mean expectedversion?"),
    ],
)
def test_what_is_wrong_with_the_envelope_names_attribute_fix_and_command(changes: dict[str, Any], field: str, fix: str) -> None:
    error = fault({**command("ltc.customer.register.v1", CUSTOMER), **changes})
    assert (error.field, error.command_id) == (field, UUID(ID))
    assert fix in error.fix


def test_a_missing_attribute_is_named_and_what_has_no_id_has_none() -> None:
    whole = command("ltc.customer.register.v1", CUSTOMER)
    for name in ("specversion", "source", "type", "subject", "partitionkey", "data"):
        error = fault({key: value for key, value in whole.items() if key != name})
        assert (error.field, error.command_id) == (name, UUID(ID))
    assert (fault({**whole, "id": "x"}).field, fault({**whole, "id": "x"}).command_id) == ("id", None)
    assert fault(b"garbage").command_id is None


@pytest.mark.parametrize("name", ["sequence", "actorid", "authid", "sourceid", "comexampletrace", "rate", "dataref"])
def test_attributes_of_others_are_allowed(name: str) -> None:
    assert parse({**command("ltc.customer.register.v1", CUSTOMER), name: "x"}, NOW).reasons == ()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"amount":"1","amount":"1000000","currency":"EUR"}', "amount"),
        ('{"amount" : "1" , "amount" : "1000000","currency":"EUR"}', "amount"),
        ('{"amount":"1","am\\u006funt":"1000000","currency":"EUR"}', "amount"),
        ('{"amount":"1","amount":"1000000","currency":"EUR","reference":"\\u003a\\u003A"}', "amount"),
        ('{"amount":"1","currency":"EUR","references":{"a":"1","a":"1"}}', "a"),
        ('{"amount":"1","currency":"EUR","payer":"a:b","payer":"ab"}', "payer"),
    ],
)
def test_a_field_that_comes_twice_is_refused(text: str, field: str) -> None:
    document = orjson.dumps(command("ltc.payment.receive.v1", {})).replace(b'"data":{}', b'"data":' + text.encode())
    error = fault(document)
    assert (error.field, error.command_id, error.fix) == (field, UUID(ID), f"state {field} once")
    with pytest.raises(Undecodable, match="twice"):
        parse(command("ltc.payment.receive.v1", orjson.loads(text)), NOW, text.encode())


def test_an_attribute_that_comes_twice_is_refused_and_colons_in_texts_are_none() -> None:
    whole = orjson.dumps(command("ltc.customer.register.v1", {"profile": {"name": 'a": "b:c"'}, "references": {"x:y": "::"}}))
    assert parse(whole, NOW).reasons == ()
    assert parse(whole[:-1] + b',"time":"2026-03-01T12:00:00+01:00","comexample":"a:b","traceparent":"00-x"}', NOW).reasons == ()
    assert fault(whole[:-1] + b',"source":"another"}').field == "source"
    assert fault(b'{"x":1}').command_id is None


def test_the_expected_version_is_part_of_what_was_sent() -> None:
    plain = command("ltc.customer.register.v1", CUSTOMER)
    hashes = [parse({**plain, **more}, NOW).content_hash for more in ({}, {"expectedversion": 0}, {"expectedversion": "0"})]
    assert hashes[0] != hashes[1] == hashes[2]


@pytest.mark.parametrize(
    ("type", "changes", "data", "field"),
    [
        ("lead.capture", {"subject": str(series_id("INV", 2027))}, {"channel": "other"}, "subject"),
        ("customer.register", {name: str(reserved_id("anything")) for name in ("subject", "partitionkey")}, CUSTOMER, "subject"),
        ("lead.capture", {"partitionkey": str(reserved_id("x"))}, {"channel": "other"}, "partitionkey"),
        ("lead.miss_follow_up", {}, {"follow_up_id": str(series_id("X", 1))}, "follow_up_id"),
    ],
)
def test_ids_of_the_ledger_itself_are_nobody_elses(type: str, changes: dict[str, Any], data: dict[str, Any], field: str) -> None:
    (reason,) = parse({**command(f"ltc.{type}.v1", data), **changes}, NOW).reasons
    assert (reason.code, reason.field, reason.fix) == ("reserved_id", field, "choose another id, best a UUID of version 7")


@pytest.mark.parametrize("version", [1, 4, 5, 7])
def test_ids_of_every_usual_version_are_free(version: int) -> None:
    number = reserved_id("x").int & ~(0xF << 76) | version << 76
    assert not is_reserved(UUID(int=number))
    assert is_reserved(reserved_id("x"))
    assert (reserved_id("x").version, reserved_id("x").variant) == (8, "specified in RFC 4122")
