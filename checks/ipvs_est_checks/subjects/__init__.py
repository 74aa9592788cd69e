"""Whatever answers the oracle's protocol, put under the same checks as the model."""
