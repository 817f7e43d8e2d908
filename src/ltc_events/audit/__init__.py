"""The notary, which signs the ledger's transparency logs, and their proofs and verification."""
