"""Tell people what became of a task or a run."""
