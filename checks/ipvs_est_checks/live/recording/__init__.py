"""What a running kernel did: recorded by probes, told as events, judged with a tolerance."""
