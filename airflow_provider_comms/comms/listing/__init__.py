"""Pages in turn, and a window of time in parallel slices."""
