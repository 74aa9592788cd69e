"""Options that several subcommands share, and what their values may be."""
