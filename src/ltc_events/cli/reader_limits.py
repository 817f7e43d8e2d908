"""`ltc readers`: whom limited readers may see."""

from typing import Annotated
from uuid import UUID

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption
from ltc_events.cli.output import err, print_json, print_table

app = typer.Typer(help="Logins that may read only some customers, in the schema ltc_limited.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The login, as PostgreSQL knows it.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the limits, empty without it.")]


@app.command("limit")
def limit_(
    context: typer.Context,
    login: Login,
    by: ByOption,
    customer: Annotated[list[UUID] | None, typer.Option("--customer", help="A customer; as often as needed.")] = None,
    country: Annotated[list[str] | None, typer.Option("--country", help="All customers of a country (ISO 3166).")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="All customers of a sales region.")] = None,
    reason: Reason = "",
    as_json: JsonOption = False,
) -> None:
    """Let a login see these customers and no others, in place of those it saw before. As the ledger's owner."""
    from ltc_events.projections.catalog.reader_limits import limit

    if not (customer or country or region):
        raise typer.BadParameter("name whom the login may see: --customer, --country or --region", param_hint="--customer")
    database = services_of(context).database
    limits = limit(database, login, customers=customer or (), countries=country or (), regions=region or (), by=by, reason=reason)
    if as_json:
        print_json({"login": login, "limits": limits})
    else:
        err.print(f"{login} sees {limits} limits' customers in the schema ltc_limited, and nothing else.", markup=False)


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show every limit, and limited logins that see everything. Exit 1 if there are such logins. As the ledger's owner."""
    from ltc_events.projections.catalog.reader_limits import ReaderLimit, limits_of

    limits = limits_of(services_of(context).database)
    rows = [one._asdict() for one in limits]
    if as_json:
        print_json({"limits": rows})
    else:
        print_table("Limited readers", [name.replace("_", " ") for name in ReaderLimit._fields], limits)
    if any(one.sees_all for one in limits):
        raise typer.Exit(1)


@app.command("forget")
def forget_(context: typer.Context, login: Login, as_json: JsonOption = False) -> None:
    """Remove all limits of a login, which then sees nothing. As the ledger's owner."""
    from ltc_events.projections.catalog.reader_limits import forget

    count = forget(services_of(context).database, login)
    if as_json:
        print_json({"login": login, "forgotten": count})
    else:
        err.print(f"{login} sees nothing any more; {count} limits are gone.", markup=False)
