"""The `ipvs-est` command: one file for each subcommand, and what they share."""
