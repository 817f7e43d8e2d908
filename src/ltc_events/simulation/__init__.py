"""A believable company, simulated: deterministic commands of its campaigns, leads, deals, orders, invoices and cash."""

from ltc_events.simulation.run import Summary
from ltc_events.simulation.simulation import ENDS_ON, OutOfRange, Simulation

__all__ = ["ENDS_ON", "OutOfRange", "Simulation", "Summary", "simulate"]

simulate = Simulation
"""`simulate(seed, customers, days, end=ENDS_ON)`: an iterator of JSON documents with a `summary`."""
