"""Error numbers that the modelled code returns, negated as in the kernel."""

ENOMEM = 12
EINVAL = 22
ENOENT = 2
EEXIST = 17
ERANGE = 34
EOVERFLOW = 75

NAMES = {ENOMEM: "ENOMEM", EINVAL: "EINVAL", ENOENT: "ENOENT", EEXIST: "EEXIST"}
NAMES |= {ERANGE: "ERANGE", EOVERFLOW: "EOVERFLOW"}
