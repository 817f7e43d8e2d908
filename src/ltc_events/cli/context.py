"""The settings and services that all commands share."""

import os
from typing import Any

import typer

from ltc_events.bootstrap.logs import configure_logging
from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import SettingInvalid, load_settings


def begin(context: typer.Context, **flags: Any) -> None:
    """Load the settings, overridden by command-line flags, and keep the services until the command ends."""
    try:
        services = Services(load_settings(**flags))
    except SettingInvalid as error:  # told like any other wrong option, also where it is the environment's
        raise typer.BadParameter(f"{error.details['problem']}; {error.fix}", param_hint=error.details["name"]) from None
    configure_logging(services.settings.log_format)
    context.obj = services
    context.call_on_close(services.close)


def services_of(context: typer.Context) -> Services:
    """The services of a running command."""
    services = context.find_root().obj
    if not isinstance(services, Services):
        raise TypeError("the command line was not started through its main callback")
    return services


def environment_of(context: typer.Context) -> dict[str, str]:
    """An environment that gives another `ltc` process the same settings, whatever their source."""
    return os.environ | services_of(context).settings.environment()
