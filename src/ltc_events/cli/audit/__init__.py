"""`ltc audit`: what is signed, whether it still holds, and proofs for others."""
