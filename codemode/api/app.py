"""The application: one worker, the list of operations as routes, and what every request goes through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codemode.api import (
    aliases,
    bodies,
    catalogue,
    checkpoints,
    costs,
    data,
    directory,
    executions,
    links,
    listening,
    loads,
    messages,
    observe,
    openapi,
    panels,
    participants,
    problems,
    prometheus,
    queries,
    sessions,
    state,
    statements,
    tenants,
    wishes,
)
from codemode.api.compressed import Compressed
from codemode.api.mounts import Guarded, MakeMount
from codemode.api.observed import Observed
from codemode.api.operations import Operation
from codemode.api.requests import answer, identify, origins, recorded, service_of
from codemode.api.traffic import Traffic
from codemode.errors import CodemodeError, SessionDamaged
from codemode.service import private
from codemode.service.service import Service
from codemode.worker import Worker

OPERATIONS: tuple[Operation, ...] = (
    *sessions.OPERATIONS,
    *executions.OPERATIONS,
    *data.OPERATIONS,
    *loads.OPERATIONS,
    *statements.OPERATIONS,
    *state.OPERATIONS,
    *checkpoints.OPERATIONS,
    *costs.OPERATIONS,
    *participants.OPERATIONS,
    *messages.OPERATIONS,
    *panels.OPERATIONS,
    *links.OPERATIONS,
    *listening.OPERATIONS,
    *directory.OPERATIONS,
    *wishes.OPERATIONS,
    *tenants.OPERATIONS,
    *catalogue.OPERATIONS,
    *observe.OPERATIONS,
    *prometheus.OPERATIONS,
    *aliases.OPERATIONS,
)
# A request looks through them one after the other, and none suits two: what is asked for most comes first.
_BY_USE = sorted(OPERATIONS, key=lambda each: each.name != "execute")
_OPENAPI = "openapi"


def create_app(worker: Worker, *, open_to_all: bool | None, mounts: Sequence[MakeMount] = ()) -> Starlette:
    """The application around `worker`; `open_to_all` is for loopback, and where it is None until there is a token.

    `mounts` make other faces of the same service, each at its path behind the same guard.
    """
    service = Service(worker, open_to_all=open_to_all)
    private.keep(worker)
    made = tuple(make(service) for make in mounts)
    traffic = Traffic([*(each.name for each in OPERATIONS), _OPENAPI, *(mount.path.strip("/") for mount in made)])
    # Outermost, so that what is refused before it reaches an operation is counted, logged and has an id too.
    middleware = [
        Middleware(Observed, traffic=traffic),
        Middleware(Compressed, minimum_size=1_000, compresslevel=5, exclude_content_types=("text/event-stream",)),
    ]
    if allowed := origins(worker.settings):
        shown = ["X-Request-Id", "Retry-After", "Location", "Content-Disposition", "Mcp-Session-Id"]
        cors = Middleware(
            CORSMiddleware, allow_origins=allowed, allow_methods=["*"], allow_headers=["*"], expose_headers=shown
        )
        middleware.append(cors)
    routes = [Route(each.path, _Guarded(each), methods=[each.method], name=each.name) for each in _BY_USE]
    routes.append(Route("/openapi.json", _openapi, methods=["GET"]))
    for mount in made:  # people write the addresses of other faces with a slash at the end, too
        routes += [Route(path, Guarded(mount), name=mount.path.strip("/")) for path in (mount.path, f"{mount.path}/")]
    app = _Application(routes=routes, middleware=middleware, lifespan=_lifespan)
    # A redirect is made of the Host that a client names, and of a scheme that a proxy hides: it may lead anywhere.
    app.router.redirect_slashes = False
    app.state.service, app.state.mounts, app.state.traffic = service, made, traffic
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    service: Service = app.state.service
    await service.start()
    try:
        async with AsyncExitStack() as running:
            for mount in app.state.mounts:
                await running.enter_async_context(mount.running())
            yield
    finally:
        await service.stop()


class _Application(Starlette):
    """Starlette's without its own layers around errors: `Observed` answers to faults, and here to what the router has.

    Each layer is a few calls for each message of each request.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """What requests go through, outermost last."""
        app: ASGIApp = self._routed
        for kind, args, kwargs in reversed(self.user_middleware):
            app = kind(app, *args, **kwargs)
        return app

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.router(scope, receive, send)
        except HTTPException as error:
            await problems.on_http_error(Request(scope), error)(scope, receive, send)


class _Guarded:
    """An operation's handler behind what each goes through: its caller, the audit log."""

    def __init__(self, operation: Operation) -> None:
        self._operation, self._reach, self._is_act = operation, operation.reach, operation.is_act
        self._parameters = [each.name for each in operation.parameters]
        # Probes and old clients that only look may add what keeps a cache from answering in the service's place.
        is_open = operation.scope is None or operation.path.startswith(aliases.OLD_PATHS)
        self._names_all = self._is_act or not is_open
        self._has_no_body = self._is_act and operation.body is None and not operation.upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, state = Request(scope, receive, send), scope["state"]
        state["operation"], state["reach"] = self._operation.name, self._reach
        try:
            response = await self._handled(request)
        except CodemodeError as error:
            response = await self._refused(request, error)
        await response(scope, receive, send)

    async def _handled(self, request: Request) -> Response:
        operation, service, state = self._operation, service_of(request), request.scope["state"]
        if operation.scope is not None:
            service.acts.check_not_over()
            state["caller"] = caller = await identify(request, enters=operation.enters)
            caller.require(operation.scope)
        if self._names_all and request.scope["query_string"]:
            queries.check_known(request, self._parameters)
        if self._has_no_body:
            await bodies.check_none(request)
        response = await operation.handler(request)
        if self._is_act:
            service.listeners.look()  # perhaps somebody listens to what it did
            if not state.get("goes_on"):  # what goes on is recorded when it is over
                await recorded(request, operation.name, state.get("outcome", "ok"))
        return response

    async def _refused(self, request: Request, error: CodemodeError) -> Response:
        operation, response = self._operation, problems.answer(error)
        request.state.outcome = error.code
        # An operator's to mend, who is not the one that is answered.
        if response.status_code >= 500 or isinstance(error, SessionDamaged):
            request.state.reason = error.message
        if operation.upload:
            with service_of(request).acts.look():  # it has no answer yet, for which the service's end waits
                drained = await bodies.drained(request)
            if not drained:
                # A client that still sends reads no answer. Closing ends its sending, also where that has no end.
                response.headers["Connection"] = "close"
        # Who is nobody is not recorded: strangers must not be able to fill the disk.
        if hasattr(request.state, "caller") and (operation.scope != "read" or error.code.startswith("auth.")):
            await recorded(request, operation.name, error.code)
        return response


async def _openapi(request: Request) -> Response:
    request.state.operation = _OPENAPI
    return answer(openapi.document(OPERATIONS))
