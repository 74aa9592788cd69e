"""From a tree to a program: files, options, generated headers, compiler, cache."""
