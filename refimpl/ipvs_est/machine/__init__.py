"""What any kernel code runs on: tasks, scheduling points, mutexes, RCU, memory, lists, bitmaps."""
