"""The cheapest way to see many operations, and one poll for all that wait; pure asyncio."""
