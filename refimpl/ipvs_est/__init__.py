"""Reference implementation and oracle of the Linux IPVS kthread stats estimator."""
