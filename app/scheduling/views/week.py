"""Pages of the week."""
