"""`ltc access`: who may send which commands; every change is the next version of policy `access`."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json, print_table
from ltc_events.store import Role

if TYPE_CHECKING:
    from ltc_events.aggregates.policies import Versioned
    from ltc_events.schemas.policy import Access

app = typer.Typer(help="Who may send which commands.", no_args_is_help=True)

RoleArgument = Annotated[str, typer.Argument(help="A role, as people and principals have it.", show_default=False)]
Commands = Annotated[list[str], typer.Argument(help="Commands: invoice.issue, invoice.*, *.", show_default=False)]
PrincipalArgument = Annotated[
    str, typer.Argument(help="user: and a login, source: and a source, worker: and a worker.", show_default=False)
]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role; as often as needed.")]
Remove = Annotated[bool, typer.Option("--remove", help="Take it out altogether.")]
Approver = Annotated[str | None, typer.Option("--approver", help="Who else is for it, where it takes four eyes.")]
HandOver = Annotated[bool, typer.Option("--hand-over", help="Who runs this may not change the rules again, and that is meant.")]


@app.command()
def show(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the version in force: rules, people, principals."""
    from ltc_events.application.access_administration import access_in_force

    _show(access_in_force(services_of(context).store(Role.WRITER)), as_json=as_json)


@app.command()
def allow(
    context: typer.Context,
    role: RoleArgument,
    commands: Commands,
    customer: Annotated[list[UUID] | None, typer.Option("--customer", help="For this customer; as often as needed.")] = None,
    limit: Annotated[list[str] | None, typer.Option("--limit", help="Up to an amount: EUR=5000; as often as needed.")] = None,
    approver: Approver = None,
    hand_over: HandOver = False,
    as_json: JsonOption = False,
) -> None:
    """Give commands to a role."""
    from ltc_events.application.access_administration import allow as change

    limits = dict(map(_limit, limit or ()))
    _publish(
        context, change(role, tuple(commands), tuple(customer or ()), limits), approver, as_json=as_json, hand_over=hand_over
    )


@app.command()
def revoke(
    context: typer.Context,
    role: RoleArgument,
    commands: Annotated[list[str] | None, typer.Argument(help="As `show` has them; none: all.", show_default=False)] = None,
    approver: Approver = None,
    hand_over: HandOver = False,
    as_json: JsonOption = False,
) -> None:
    """Take commands from a role."""
    from ltc_events.application.access_administration import revoke as change

    _publish(context, change(role, tuple(commands or ())), approver, as_json=as_json, hand_over=hand_over)


@app.command()
def person(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The person, as actors are called.", show_default=False)],
    role: Roles = None,
    remove: Remove = False,
    approver: Approver = None,
    hand_over: HandOver = False,
    as_json: JsonOption = False,
) -> None:
    """Let a person have these roles, in place of those it had."""
    from ltc_events.application.access_administration import set_person

    if bool(role) == remove:
        raise typer.BadParameter("give roles with --role, or take the person out with --remove", param_hint="--role")

    _publish(context, set_person(name, None if remove else tuple(role or ())), approver, as_json=as_json, hand_over=hand_over)


@app.command()
def principal(
    context: typer.Context,
    principal: PrincipalArgument,
    role: Roles = None,
    speaks_for: Annotated[
        list[str] | None, typer.Option("--speaks-for", help="An actor whom it may name; * for everybody; as often as needed.")
    ] = None,
    for_itself: Annotated[bool, typer.Option("--for-itself/--for-people", help="Whether it may be the actor itself.")] = True,
    remove: Remove = False,
    approver: Approver = None,
    hand_over: HandOver = False,
    as_json: JsonOption = False,
) -> None:
    """Let a principal have these roles, and speak for these actors, in place of what it had; with --remove it may do nothing."""
    from ltc_events.application.access_administration import set_principal
    from ltc_events.schemas.policy import Sender

    if remove and (role or speaks_for):
        raise typer.BadParameter("what is taken out has no roles and speaks for nobody", param_hint="--remove")
    sender = Sender.model_construct(roles=tuple(role or ()), speaks_for=tuple(speaks_for or ()), for_itself=for_itself)
    _publish(context, set_principal(principal, None if remove else sender), approver, as_json=as_json, hand_over=hand_over)


@app.command("four-eyes")
def four_eyes(
    context: typer.Context,
    commands: Commands,
    role: Annotated[list[str] | None, typer.Option("--role", help="A role whose people approve; as often as needed.")] = None,
    remove: Remove = False,
    approver: Approver = None,
    hand_over: HandOver = False,
    as_json: JsonOption = False,
) -> None:
    """Let commands take the approval of another person with one of these roles, in place of who approved them before."""
    from ltc_events.application.access_administration import set_four_eyes

    if bool(role) == remove:
        raise typer.BadParameter("say who approves with --role, or end it with --remove", param_hint="--role")
    change = set_four_eyes(tuple(commands), None if remove else tuple(role or ()))
    _publish(context, change, approver, as_json=as_json, hand_over=hand_over)


@app.command()
def enforce(context: typer.Context, approver: Approver = None, hand_over: HandOver = False, as_json: JsonOption = False) -> None:
    """Refuse from now on whatever no rule allows. Refused while nobody could change the rules again."""
    from ltc_events.application.access_administration import set_mode

    _publish(context, set_mode("enforced"), approver, as_json=as_json, hand_over=hand_over)


@app.command("open")
def open_(context: typer.Context, approver: Approver = None, as_json: JsonOption = False) -> None:
    """Let whoever can send do everything; the rules are kept."""
    from ltc_events.application.access_administration import set_mode

    _publish(context, set_mode("open"), approver, as_json=as_json)


@app.command()
def check(
    context: typer.Context,
    principal: PrincipalArgument,
    command: Annotated[str, typer.Argument(help="Its name without the version: invoice.issue.", show_default=False)],
    actor: Annotated[str | None, typer.Option("--actor", help="For whom; default: the principal itself.")] = None,
    customer: Annotated[UUID | None, typer.Option("--customer", help="About which customer.")] = None,
    approver: Approver = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a principal may send a command, by which rules, or what is missing. Exit 1 if it may not."""
    from ltc_events.application.access_administration import access_in_force
    from ltc_events.application.access_administration import check as checked

    access = access_in_force(services_of(context).store(Role.WRITER)).content
    named = actor or principal.partition(":")[2]
    verdict = checked(access, principal, command, actor=named, customer=customer, approver=approver)
    rules = [rule.model_dump(mode="json") for rule in verdict.rules]
    if as_json:
        print_json({"allowed": verdict.is_allowed, "why": verdict.why, "fix": verdict.fix, "rules": rules})
    else:
        out.print(f"{'yes' if verdict.is_allowed else 'no'}: {verdict.why}", markup=False)
        for rule in rules:
            out.print(f"     {_rule_in_words(rule)}", markup=False)
        if verdict.fix:
            out.print(f"     fix: {verdict.fix}", markup=False)
    if not verdict.is_allowed:
        raise typer.Exit(1)


def _publish(
    context: typer.Context, change: "Callable[[Access], Access]", approver: str | None, *, as_json: bool, hand_over: bool = False
) -> None:
    from ltc_events.application.access_administration import publish

    services = services_of(context)
    published = publish(services.store(Role.WRITER), services.pipeline(), change, approver=approver, hand_over=hand_over)
    if as_json:
        _show(published, as_json=True)
    else:
        err.print(f"Policy access is in force in version {published.version}, {published.content.mode}.", markup=False)


def _show(policy: "Versioned[Access]", *, as_json: bool) -> None:
    content: dict[str, Any] = policy.content.model_dump(mode="json")
    if as_json:
        print_json({"version": policy.version, "content": content})
        return
    out.print(f"Policy access, version {policy.version}: {content['mode']}", markup=False)
    print_table("rules", ("roles", "may send"), [(", ".join(one["roles"]), _rule_in_words(one)) for one in content["rules"]])
    people = [(name, ", ".join(roles)) for name, roles in content["people"].items()]
    print_table("people", ("name", "roles"), people)
    principals = [
        (name, ", ".join(one["roles"]), ", ".join([*(["itself"] if one["for_itself"] else []), *one["speaks_for"]]))
        for name, one in content["principals"].items()
    ]
    print_table("principals", ("principal", "roles", "speaks for"), principals)
    eyes = [(", ".join(one["commands"]), ", ".join(one["roles"])) for one in content["four_eyes"]]
    print_table("four eyes", ("commands", "approved by"), eyes)


def _rule_in_words(rule: dict[str, Any]) -> str:
    told = ", ".join(rule["commands"])
    if rule["limits"]:
        told += " up to " + ", ".join(f"{amount} {currency}" for currency, amount in rule["limits"].items())
    if rule["customers"]:
        told += f" for {len(rule['customers'])} customers"
    return told


def _limit(text: str) -> tuple[str, Decimal]:
    form = re.fullmatch(r"([A-Z]{3})=([0-9]+(?:\.[0-9]+)?)", text)
    if form is None:
        raise typer.BadParameter(f"{text} is not like EUR=5000", param_hint="--limit")
    return form[1], Decimal(form[2])
