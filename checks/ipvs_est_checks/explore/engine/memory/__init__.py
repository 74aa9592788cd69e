"""Store buffers: what a task stores may reach the others later (docs/explanation/memory.md)."""
