"""The documents: where they are, their numbered sections, and the pages that are generated."""
