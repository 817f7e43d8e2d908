"""Base classes of commands and events: frozen models with a stable name. Unknown fields are refused."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from ltc_events.kernel.currencies import minor_digits, withdrawn
from ltc_events.schemas.checked import EMAIL_FORMAT, Checked, email_address
from ltc_events.schemas.countries import country_code
from ltc_events.schemas.identifiers import bic, iban, lei, vat_id
from ltc_events.schemas.limits import (
    COUNT_MAX,
    DAY_PATTERN,
    DAYS_MAX,
    FIRST_DAY,
    INSTALMENTS_MAX,
    LAST_DAY,
    LINE_NUMBER_MAX,
    NAME_CHARACTERS_MAX,
    NUMBER_PATTERN,
    RECORDED_NUMBER_PATTERN,
    TEXT_CHARACTERS_MAX,
    day_as_text,
    moment_as_text,
    number_as_text,
    own_uuid,
    uuid_as_text,
)

WIRE_PREFIX = "ltc."
"""What the names of commands and events begin with on the wire."""


def _known_currency(value: str) -> str:
    if value not in minor_digits() and value not in withdrawn():
        raise PydanticCustomError("currency", "{code} is not a currency of ISO 4217", {"code": value})
    return value


_NUMBER = BeforeValidator(number_as_text)
_JSON = WithJsonSchema({"type": "string", "pattern": NUMBER_PATTERN, "examples": ["1234.50"]})
# The limits stand inside of the text check, where pydantic's core applies them natively: five times as fast.
Amount = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=9), _NUMBER, _JSON]
"""What a command says an amount of money or a quantity is; a string in JSON, up to 24 digits, 9 of them decimals."""
Positive = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=9, gt=0), _NUMBER, _JSON]
NotNegative = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=9, ge=0), _NUMBER, _JSON]
Percent = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=9, ge=0, le=100), _NUMBER, _JSON]
Exact = Annotated[Decimal, WithJsonSchema({"type": "string", "pattern": RECORDED_NUMBER_PATTERN})]
"""An amount or quantity in an event: whatever was once recorded is readable for ever, so nothing is checked again."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
"""An ISO 4217 code of a currency that has a minor unit; one that was withdrawn goes with a business date of its time alone."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX)]
Text = Annotated[str, StringConstraints(max_length=TEXT_CHARACTERS_MAX)]
Email = Annotated[str, StringConstraints(max_length=254), Checked(email_address, EMAIL_FORMAT)]
"""An e-mail address, `local@domain` (R-30)."""
PHONE_PATTERN = r"^\+?[0-9(][0-9 ()./-]{4,28}[0-9)]$"
Phone = Annotated[str, StringConstraints(pattern=PHONE_PATTERN)]
"""A telephone number: digits with the usual separators, 6 to 30 characters, best in international form (R-30)."""
VatId = Annotated[str, StringConstraints(max_length=40), Checked(vat_id)]
"""A VAT id, with its country in front."""
Lei = Annotated[str, StringConstraints(max_length=40), Checked(lei)]
"""A legal entity identifier (ISO 17442)."""
Iban = Annotated[str, StringConstraints(max_length=50), Checked(iban)]
"""An international bank account number (ISO 13616)."""
Bic = Annotated[str, StringConstraints(max_length=20), Checked(bic)]
"""A bank's identifier code (ISO 9362)."""
PHONE_E164 = (
    "`phone` in E.164; none: no phone is given, none that is known to be in use in the customer's country,"
    " or the event was stored before this was kept"
)
"""What events say beside the text of a telephone number as it came."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/ -]{0,79}$")]
DocumentNumber = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]{0,78}[^\s\x00-\x1f\x7f-\x9f])?$")
]
"""The number of a document of another system, as it is printed: no blank at its ends, no control character (EN 16931 BT-1)."""
Country = Annotated[Code, Checked(country_code)]
"""A country's code (ISO 3166-1)."""
_Reference = Annotated[str, StringConstraints(max_length=NAME_CHARACTERS_MAX)]
References = Annotated[dict[_Reference, _Reference], Field(max_length=20)]
"""Names of this thing in other systems, e.g. `{"crm": "4711"}`."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false, and no word or number in their place."""
LineNumber = Annotated[int, Field(strict=True, ge=1, le=LINE_NUMBER_MAX)]
InstalmentNumber = Annotated[int, Field(strict=True, ge=1, le=INSTALMENTS_MAX)]
Days = Annotated[int, Field(strict=True, ge=0, le=DAYS_MAX)]
Count = Annotated[int, Field(strict=True, ge=0, le=COUNT_MAX)]
Day = Annotated[
    date,
    Field(ge=FIRST_DAY, le=LAST_DAY),
    BeforeValidator(day_as_text),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN}),
]
"""A date that a command names, of the years 1900 to 2199."""
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC), lt=datetime(LAST_DAY.year + 1, 1, 1, tzinfo=UTC)),
    BeforeValidator(moment_as_text),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": r"^(19|20|21)\d{2}-"}),
]
"""A time that a command names, with its offset from UTC."""
AnyId = Annotated[UUID, BeforeValidator(uuid_as_text)]
Id = Annotated[UUID, BeforeValidator(uuid_as_text), AfterValidator(own_uuid)]
"""A UUID that a command names, of anything but the ledger's own streams."""


class Schema(BaseModel):
    """A value of the published language: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="utf8", validate_default=False, defer_build=True)


COMMANDS: dict[str, type["Command"]] = {}
"""Every command by its stable name, e.g. `lead.capture.v1`."""
EVENTS: dict[str, type["Event"]] = {}
"""Every event by its stable name, e.g. `lead.captured.v1`."""


class Command(Schema):
    """A request for a change, named in the imperative; it may be refused.

    `type` is its stable name, `ltc.<type>` on the wire. The aggregate it is about is the envelope's `subject`.
    """

    type: ClassVar[str] = ""
    touches: ClassVar[tuple[str, ...]] = ()
    """Fields that name further streams which it reads or writes; `allocations.invoice_id` for a field of each of a list."""
    begins_for_customer: ClassVar[bool] = False
    """Whether it begins something for its customer, whose own stream is read then."""
    effective_on: Day = Field(
        default=date.min,
        description="Business date. When absent, the date of the envelope's time in the time zone of policy company (UTC).",
    )
    occurred_at: datetime = Field(
        default=datetime.min.replace(tzinfo=UTC), description="The envelope's time; never part of the data."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        unknown = [name for name in cls.touches if name.partition(".")[0] not in cls.model_fields]
        if unknown:
            raise TypeError(f"{cls.__qualname__} touches what is none of its fields: {', '.join(unknown)}")
        register(COMMANDS, cls)

    def derived_streams(self, subject: UUID) -> Iterable[UUID]:
        """Ids of streams that the command reads or writes without naming them, derived from its fields and its subject."""
        return ()

    def listed_noun(self) -> str | None:
        """The noun of the aggregate whose streams of the customer the command reads, all of them; None: there is none."""
        return None


class Event(Schema):
    """A fact, named in the past tense; never changed, never refused. `type` is the name it is stored under."""

    type: ClassVar[str] = ""
    limited_at: ClassVar[str] = ""
    """The field with the amount, in its `currency`, that policy `access` may limit."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if cls.limited_at and not {cls.limited_at, "currency"} <= cls.model_fields.keys():
            raise TypeError(f"{cls.__qualname__} has no {cls.limited_at} with a currency")
        if cls.type and cls.in_words is Event.in_words:
            raise TypeError(f"{cls.__qualname__} does not say what happened: give it a method in_words")
        register(EVENTS, cls)

    def in_words(self) -> str:
        """A one-line summary without a full stop: `won for 12,000.00 EUR`. Every event class defines its own."""
        raise NotImplementedError


def register(registry: dict[str, Any], cls: Any) -> None:
    """Bind the stable name of a class to it, once; a class that states none of its own is a shared base."""
    name = cls.__dict__.get("type")
    if not name:
        return
    if name in registry:
        raise ValueError(f"{name} is already {registry[name].__qualname__}")
    registry[name] = cls


class MoneyEvent(Event):
    """An event of ordering, billing, credit or cash that acts on something that happened before."""

    not_before: date | None = Field(
        default=None,
        description="the latest business date of what it acts on, before which it is never dated;"
        " none: it acts on nothing, or was stored before this was kept",
    )


class OrderedEvent(Event):
    """An event that policy may have recorded although it is dated before what it acts on."""

    dated_before: date | None = Field(
        default=None, description="the later business date of what it acts on or follows; none: the dates are in order"
    )
