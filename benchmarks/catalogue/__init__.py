"""The catalogue at a million sessions: made, asked through its record classes, and told as figures."""
