"""Errors of queries and exports."""

from ltc_events.kernel.errors import Kind, LtcError


class OnlyQueries(LtcError):
    """a statement that begins with {word} is no query: read tables are read here, and nothing is changed"""

    kind = Kind.USAGE
    remedy = "begin with SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW; what changes the ledger is a command (`ltc submit`)"


class SeveralStatements(LtcError):
    """{count} statements were given where one is taken"""

    kind = Kind.USAGE
    remedy = "give one, or write them to a file and let `ltc sql < FILE` run one after the other, as tables"


class QueryRefused(LtcError):
    """the database refuses the query: {reason}"""

    remedy = "{fix}"


class QueryTimedOut(LtcError):
    """the query took longer than {seconds} seconds and was ended"""

    remedy = "ask for less, or give more time with --timeout (0: as long as it takes)"


class PresentStateOnly(LtcError):
    """{table} shows the present state alone, and was asked for at an earlier date or state of knowledge"""

    kind = Kind.USAGE
    remedy = "ask a table of what happened, or a report; `ltc_read.{table}` is the present state in any session"


class NothingToExport(LtcError):
    """there is no read table and no report called {name}"""

    kind = Kind.USAGE
    remedy = "{suggestion}"


class NoMonths(LtcError):
    """{name} has no rows that stay as they were recorded, so it cannot be written by month"""

    kind = Kind.USAGE
    remedy = "write events, or a read table whose rows are only ever added, by month; write this one whole"


class DoesNotFit(LtcError):
    """a value of {column} does not fit into {form}: {problem}"""

    remedy = "write it as csv or jsonl, which take every value"
