"""What is said to the oracle and by it: operations, parameters, revisions, events; their JSON."""
