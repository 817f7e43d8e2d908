"""Errors of the notary and of verification."""

from ltc_events.kernel.errors import Kind, LtcError


class AuditError(LtcError):
    """the transparency log cannot do this"""


class NoNotaryKey(AuditError):
    """there is no key of the notary in {file}"""

    kind = Kind.DEFECT
    remedy = "`ltc audit init-key` makes one; or set LTC_NOTARY_KEY_FILE to the file that has it"


class NotaryKeyUnreadable(AuditError):
    """the key of the notary in {file} cannot be used: {reason}"""

    kind = Kind.DEFECT
    remedy = "give this user the right to read it; each line is PRIVATE+KEY+name+id+key, as `ltc audit init-key` writes it"


class NotaryKeyExists(AuditError):
    """there is a key of the notary in {file} already"""

    remedy = "`ltc audit rotate-key` puts another one beside it"


class NotaryBusy(AuditError):
    """another notary is at work on this ledger"""

    kind = Kind.UNAVAILABLE
    remedy = "it signs within seconds; `ltc audit checkpoint --show` prints what is signed"


class NothingSigned(AuditError):
    """nothing of the log {log} is signed yet"""

    remedy = "run `ltc audit checkpoint`, or let `ltc worker notary` run"


class NotCovered(AuditError):
    """the log {log} is signed up to {size} leaves, and {wanted} is behind that"""

    remedy = "run `ltc audit checkpoint` first"


class HistoryChanged(AuditError):
    """{where} is not what was signed in the checkpoint of {size} leaves of {log}; nothing further is signed"""

    kind = Kind.DEFECT
    remedy = "somebody changed the database: stop the workers, keep it as it is, and see `ltc audit verify`"


class LogWentBack(AuditError):
    """the log {log} ends at {size} leaves, and {signed} were signed already; nothing further is signed"""

    kind = Kind.DEFECT
    remedy = (
        "the database is older than what was signed: restore the newer one, or let `ltc recover` put its events back. If they "
        "are lost for good, `ltc audit rotate-key --name NEW` begins logs under another name, and says so to everybody"
    )


class TwoHistories(AuditError):
    """the log {log} has two histories: what was signed at {size} leaves is not the beginning of what there is now"""

    kind = Kind.DEFECT
    remedy = "keep both checkpoints: together they prove it; see `ltc audit verify --since FILE`"
