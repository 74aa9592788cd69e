"""The user's own kernel: the estimator of any Linux tree, compiled into a program of its own.

The tree's files are compiled unmodified with the tree's headers and a tiny architecture
(`c/arch`); `c/glue` calls them and reads their state, `c/runtime` stands in for the rest of the
kernel: tasks, mutexes, time, work, RCU and memory under the schedule of the recordings.
"""
