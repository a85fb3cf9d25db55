"""Messages of a session over HTTP: listed with filters, posted, removed."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import added, answer, served
from codemode.service import messages
from codemode.service.auditing import Change
from codemode.values.records import Message, MessageType


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message; `user_id` is whose it is, of a token that is bound to nobody; `thread` a message that it answers."""

    content: str
    message_type: MessageType = "chat"
    user_id: str | None = None
    metadata: dict[str, Any] = {}
    thread: str | None = None


class MessageList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of messages, newest first; `next` is the `after` of the page that follows."""

    messages: list[Message]
    next: str | None = None


async def every(request: Request) -> Response:
    """The newest messages of a session, newest first."""
    asked = lists.asked(request, "message_type", "user_id", "text", "thread")
    times = {name: queries.moment(request, name) for name in ("since", "until")}
    page = await served(request, messages.page, request.path_params["id"], **asked, **times)
    return answer(MessageList(messages=page.rows, next=page.next))


async def post(request: Request) -> Response:
    """Add a message to a session: 201 with the message as it is stored. Members and owners may."""
    body = await bodies.decode(request, NewMessage)
    found = await served(request, messages.post, request.path_params["id"], **msgspec.structs.asdict(body))
    return added(request, found, f"{found.session_id} {found.id}")


async def show(request: Request) -> Response:
    """One message."""
    return answer(await served(request, messages.get, request.path_params["id"], request.path_params["message"]))


async def remove(request: Request) -> Response:
    """Remove a message, with its answers where it began a thread; its author may, and an owner of the session."""
    session_id, message_id = request.path_params["id"], request.path_params["message"]
    found = await served(request, messages.remove, session_id, message_id)
    request.state.about, request.state.change = f"{session_id} {message_id}", Change(found, None)
    return Response(status_code=204)


FILTERS = (
    Parameter(name="message_type", about="Only of this type: chat, mcp_request, mcp_response, system."),
    Parameter(name="user_id", about="Only of this user."),
    Parameter(
        name="since", about="Only from this moment on: ISO 8601 (20261130 is a date), or milliseconds since 1970."
    ),
    Parameter(name="until", about="Only from before this moment."),
    Parameter(
        name="text",
        about='Only with all of these words; `dis*` begins one, `"disk full"` follow each other.',
    ),
    Parameter(name="thread", about="Only this message and its answers."),
    *lists.PARAMETERS,
)
_PATH = "/v1/sessions/{id}/messages"
OPERATIONS = (
    Operation(
        method="GET", path=_PATH, name="list_messages", handler=every, scope="read",
        about="The newest messages of a session.", answers={200: MessageList}, problems=(404,), parameters=FILTERS,
    ),
    Operation(
        method="POST", path=_PATH, name="post_message", handler=post, scope="execute", does="execute",
        about="Add a message to a session.", body=NewMessage, answers={201: Message}, problems=(404, 410),
    ),
    Operation(
        method="GET", path=_PATH + "/{message}", name="get_message", handler=show, scope="read",
        about="Look at one message.", answers={200: Message}, problems=(404,),
    ),
    Operation(
        method="DELETE", path=_PATH + "/{message}", name="remove_message", handler=remove, scope="execute",
        does="execute", about="Remove a message.", answers={204: None}, problems=(404,),
    ),
)  # fmt: skip
