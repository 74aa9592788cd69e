"""What of a world decides what can follow: images, fingerprints, suspended functions."""
