"""What can go wrong between a question and its report."""

from ltc_events.kernel.errors import LtcError


class UnknownReport(LtcError):
    """there is no report {name}"""

    remedy = "{suggestion}"


class ReportMisdeclared(LtcError):
    """the declaration of report {report} is wrong: {problem}"""

    remedy = "correct the head of its SQL file"


class UnknownParameter(LtcError):
    """report {report} has no parameter {parameter}"""

    remedy = "its parameters are: {known}"


class InvalidParameter(LtcError):
    """parameter {parameter} cannot be {value}: {problem}"""

    remedy = "{example}"


class ParameterMissing(LtcError):
    """report {report} needs the parameter {parameter}: {meaning}"""

    remedy = "give it a value"


class InvalidMoment(LtcError):
    """{value} is not {expected}"""

    remedy = "write it like {example}"


class ReadTablesMissing(LtcError):
    """report {report} reads {tables}, which no projection has made yet"""

    remedy = "let the projections run once"


class CustomerUnknown(LtcError):
    """no customer is called {customer}"""

    remedy = "{suggestion}"


class CustomerAmbiguous(LtcError):
    """{count} customers answer to {customer}"""

    remedy = "give the id of one of them: {candidates}"


class NothingBetween(LtcError):
    """what was known at position {then} comes after what was known at position {now}"""

    remedy = "give --changed-since an earlier position or time than --known-at"


class ReportBrokenOff(LtcError):
    """report {report} broke off after {rows} rows: {reason}"""

    remedy = "what was written of it is not whole: throw it away and run the report again"


class ParquetUnavailable(LtcError):
    """the parquet format needs pyarrow, which is not installed"""

    remedy = "install it with: pip install 'ltc-events[parquet]'"
