"""Errors of reports."""

from ltc_events.kernel.errors import Kind, LtcError


class UnknownReport(LtcError):
    """there is no report {name}"""

    kind = Kind.USAGE
    remedy = "{suggestion}"


class ReportMisdeclared(LtcError):
    """the declaration of report {report} is wrong: {problem}"""

    kind = Kind.DEFECT
    remedy = "correct the head of its SQL file"


class UnknownParameter(LtcError):
    """report {report} has no parameter {parameter}"""

    kind = Kind.USAGE
    remedy = "its parameters are: {known}"


class InvalidParameter(LtcError):
    """parameter {parameter} cannot be {value}: {problem}"""

    kind = Kind.USAGE
    remedy = "{example}"


class ParameterMissing(LtcError):
    """report {report} needs the parameter {parameter}: {meaning}"""

    kind = Kind.USAGE
    remedy = "give it a value"


class InvalidMoment(LtcError):
    """{name}: '{value}' is not {expected}"""

    kind = Kind.USAGE
    remedy = "write it like {example}"


class ReadTablesMissing(LtcError):
    """report {report} reads {tables}, which no projection has made yet"""

    kind = Kind.UNAVAILABLE
    remedy = "let the projections run once"


class CustomerUnknown(LtcError):
    """no customer is called {customer}"""

    remedy = "{suggestion}"


class CustomerAmbiguous(LtcError):
    """{count} customers answer to {customer}"""

    remedy = "give the id of one of them: {candidates}"


class NothingBetween(LtcError):
    """what was known at position {then} comes after what was known at position {now}"""

    kind = Kind.USAGE
    remedy = "give --changed-since an earlier position or time than --known-at"


class ReportOutOfRange(LtcError):
    """report {report} cannot be worked out as of {as_of}: {reason}"""

    remedy = "ask for another date, or smaller parameters; dates go from 0001-01-01 to 9999-12-31"


class ReportBrokenOff(LtcError):
    """report {report} broke off after {rows} rows: {reason}"""

    kind = Kind.DEFECT
    remedy = "what was written of it is not whole: throw it away and run the report again ({fix})"


class ParquetUnavailable(LtcError):
    """the parquet format needs pyarrow, which is not installed"""

    kind = Kind.DEFECT
    remedy = "install it with: pip install 'ltc-events[parquet]'"
