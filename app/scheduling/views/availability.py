"""Pages of the availability."""
