"""A first mapping for files that nobody has seen: what their columns hold, what the files are, and SQL that runs."""

from ltc_events.importing.scaffold.kinds import Recognised, recognise
from ltc_events.importing.scaffold.mapping_text import Scaffold, scaffold
from ltc_events.importing.scaffold.profile import Column, File, profile

__all__ = ["Column", "File", "Recognised", "Scaffold", "profile", "recognise", "scaffold"]
