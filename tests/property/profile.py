"""How many examples the laws are tried on: few in every run of the tests, as many as `LTC_EXAMPLES` says in `make laws`."""

import os


def examples(number: int) -> int:
    """So many examples, unless somebody asks for another number of all laws."""
    return int(os.environ.get("LTC_EXAMPLES", number))
