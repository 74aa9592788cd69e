"""Changes of a tree's C before it is compiled: mistakes planted, findings repaired."""
