"""Codemode inside other frameworks: each adapter is one file over anything that has the methods of a session."""

from __future__ import annotations

from codemode.adapters.answer import Answer
from codemode.adapters.dispatch import dispatch, dispatch_async
from codemode.adapters.session import AnySession
from codemode.adapters.tools import anthropic_tools, openai_chat_tools, openai_responses_tools

__all__ = [
    "Answer",
    "AnySession",
    "anthropic_tools",
    "dispatch",
    "dispatch_async",
    "openai_chat_tools",
    "openai_responses_tools",
]
