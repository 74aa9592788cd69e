"""What checks the model: replay, state machines, explorer, mutants, and the `ipvs-est` command."""
