"""Remarks on parts of a statement: functions from a node of its tree to words, or None."""
