"""Explains figures from the events alone: the events behind an invoice, order, deal, payment or balance, with recomputed sums."""
