"""What `ipvs-est check` runs."""
