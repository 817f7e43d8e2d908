"""Identifiers that follow from what they name, so that doing a thing twice names it the same."""

from uuid import UUID, uuid5

NAMESPACE = UUID("5a1c6c7e-3f0b-5b0e-9d36-6c74632d6576")


def derive_id(*parts: str) -> UUID:
    """The UUID (version 5) of a path of names, e.g. `derive_id("policy", "discount_matrix")`."""
    return uuid5(NAMESPACE, "\x1f".join(parts))
