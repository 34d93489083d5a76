"""Read operations and hand on their stats."""
