"""The notary that signs what the ledger has, and the proofs and verifications that follow from it."""
