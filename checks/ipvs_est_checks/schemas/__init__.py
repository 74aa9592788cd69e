"""JSON Schema (2020-12) of what the project reads and writes, made from the code's own types."""
