"""Codemode: the engine that AI agents run their code and data on."""

__version__ = "0.1.0"
