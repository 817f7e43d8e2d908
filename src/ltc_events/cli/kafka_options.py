"""The options that say where Kafka is and how it lets us in: each is a setting of the same name."""

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Annotated

import typer

from ltc_events.bootstrap.kafka_fields import KAFKA_FIELDS, KafkaField


def with_kafka_options(callback: Callable[..., None]) -> Callable[..., None]:
    """Give a callback, in place of its `**kafka`, an option for each setting of Kafka; what is not given comes as None."""
    signature = inspect.signature(callback)
    own = [one for one in signature.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    options = [_option(name, field) for name, field in KAFKA_FIELDS.items()]
    callback.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    return callback


def _option(name: str, field: KafkaField) -> Parameter:
    option = typer.Option(
        envvar=f"LTC_{name.upper()}",
        help=f"{field.meaning[0].upper()}{field.meaning[1:]}.",
        show_default=field.default or False,
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[field.kind | None, option])
