"""What `ip_vs_est.c` does: start and stop, enqueue, drain, calc phase, kthreads."""
