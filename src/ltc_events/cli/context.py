"""What every command of the line shares: the settings, and what they lead to."""

import os
from typing import Any

import typer

from ltc_events.bootstrap.logs import configure_logging
from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import SettingInvalid, load_settings


def begin(context: typer.Context, **flags: Any) -> None:
    """Read the settings under the flags of the line, and keep what they lead to until the line ends."""
    try:
        services = Services(load_settings(**flags))
    except SettingInvalid as error:  # told like any other wrong option, also where it is the environment's
        raise typer.BadParameter(f"{error.details['problem']}; {error.fix}", param_hint=error.details["name"]) from None
    configure_logging(services.settings.log_format)
    context.obj = services
    context.call_on_close(services.close)


def services_of(context: typer.Context) -> Services:
    """What the settings of a running command lead to."""
    services = context.find_root().obj
    if not isinstance(services, Services):
        raise TypeError("the command line was not started through its main callback")
    return services


def environment_of(context: typer.Context) -> dict[str, str]:
    """The environment in which another `ltc` has the same settings as this one, wherever they came from."""
    return os.environ | services_of(context).settings.environment()
