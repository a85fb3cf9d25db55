"""One file a scenario or a few that belong together; each has `SCENARIOS`."""
