"""The kthreads beside the one timer that they replaced."""
