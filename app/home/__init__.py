"""Home: the page each role starts the day on, composed of what the floors below know."""
