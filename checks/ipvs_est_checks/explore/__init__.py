"""The interleaving explorer: refimpl's generators under every schedule that matters."""
