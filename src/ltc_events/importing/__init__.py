"""Imports: turns data of other systems into commands, by the SQL of a mapping."""

from ltc_events.importing.errors import DataUnusable, ImportUnusable, MappingInvalid
from ltc_events.importing.reconciliation import CommandCount, ControlTotal, FileCount, Reconciliation, RefusedRow
from ltc_events.importing.run import Progress, run_import

__all__ = [
    "CommandCount",
    "ControlTotal",
    "DataUnusable",
    "FileCount",
    "ImportUnusable",
    "MappingInvalid",
    "Progress",
    "Reconciliation",
    "RefusedRow",
    "run_import",
]
