"""Rules for commands that touch several aggregates: each is decided as a whole and recorded in one transaction."""
