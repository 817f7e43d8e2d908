"""What policy `access` says of who may do what."""

from ltc_events.aggregates.access import AccessRules
from ltc_events.application.access_administration import access_in_force
from ltc_events.bootstrap.services import open_store
from ltc_events.diagnosis.check import Check
from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.principals import Principal
from ltc_events.scheduling.duties import CLOCK, CLOCK_COMMANDS, SOURCE
from ltc_events.store import Database, Role

OPEN = "open: whoever can send may do everything; `ltc access` says who may do what"


def examine_access(database: Database, clock: Principal = CLOCK) -> Check:
    """Tell whether the policy is enforced, and lets the clock work. That it is open is nothing wrong: so a ledger begins."""
    try:
        with open_store(database, Role.PROJECTOR) as store:
            version, access = (policy := access_in_force(store)).version, policy.content
    except LtcError as error:
        # A login of another group is not asked for this one, and who has no ledger has heard so already.
        return Check("access", True, f"not looked at: {error.message}")
    if access.mode == "open":
        return Check("access", True, OPEN)
    told = f"{len(access.rules)} rules for {len(access.principals)} principals and {len(access.people)} people"
    rules = AccessRules(access)
    missing = [name for name in CLOCK_COMMANDS if rules.denied(clock.text, SOURCE, name, None, None)]
    if not missing:
        return Check("access", True, f"enforced, version {version}: {told}")
    fix = (
        f"`ltc access allow clock {' '.join(missing)}` and"
        f" `ltc access principal {clock} --role clock --speaks-for {SOURCE}`; these replace what the principal had"
    )
    return Check("access", False, f"enforced, version {version}: {told}; {clock} may not send {', '.join(missing)}", fix)
