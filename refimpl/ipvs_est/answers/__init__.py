"""What the oracle answers: results, dumps and the complete snapshot."""
