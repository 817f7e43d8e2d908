"""Transparency logs: RFC 6962 hashing, RFC 9162 proofs, and the C2SP file formats. Pure: bytes in, bytes out."""
