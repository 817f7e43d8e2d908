"""What policy `access` says of who may do what."""

from ltc_events.application.access_administration import access_in_force
from ltc_events.bootstrap.services import open_store
from ltc_events.diagnosis.check import Check
from ltc_events.kernel.errors import LtcError
from ltc_events.store import Database, Role

OPEN = "open: whoever can send may do everything; `ltc access` says who may do what"


def examine_access(database: Database) -> Check:
    """Tell whether the policy is enforced. That it is open is nothing wrong: so a ledger begins."""
    try:
        with open_store(database, Role.PROJECTOR) as store:
            version, access = (policy := access_in_force(store)).version, policy.content
    except LtcError as error:
        # A login of another group is not asked for this one, and who has no ledger has heard so already.
        return Check("access", True, f"not looked at: {error.message}")
    if access.mode == "open":
        return Check("access", True, OPEN)
    told = f"{len(access.rules)} rules for {len(access.principals)} principals and {len(access.people)} people"
    return Check("access", True, f"enforced, version {version}: {told}")
