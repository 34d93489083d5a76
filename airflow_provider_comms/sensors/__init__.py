"""Wait for operations."""
