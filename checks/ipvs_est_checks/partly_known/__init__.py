"""States of which not all is known, and the properties of states on them."""
