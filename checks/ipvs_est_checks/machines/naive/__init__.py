"""A second, naive model that random histories are compared with."""
