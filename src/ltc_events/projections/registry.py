"""Every read table of the product: one line each."""

from ltc_events.projections.base import Projection

PROJECTIONS: tuple[type[Projection], ...] = ()
