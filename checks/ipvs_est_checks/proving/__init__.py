"""Running the proofs, and their counterexamples in the model."""
