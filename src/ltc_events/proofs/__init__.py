"""The transparency log as others know it: RFC 6962 hashing, proofs, and the C2SP file formats. Pure: bytes in, bytes out."""
