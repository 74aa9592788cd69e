"""The explorer's worlds beside the protocol system of the proofs."""
