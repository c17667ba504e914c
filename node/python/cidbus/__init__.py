"""cidbus: a task bus for content-addressed data."""
