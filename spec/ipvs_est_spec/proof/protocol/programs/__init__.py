"""The programs of the protocol's actors, step by step."""
