"""Subscriptions, preferences and configuration over HTTP: what users want, and how their tenant is set up."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import added, answer, served
from codemode.service import configuring, wishes
from codemode.values.records import ConfigurationEntry, Preference, Subscription


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session that a user wants to be told of, or a panel of it; `user_id` of a token that is bound to nobody."""

    session_id: str
    panel_id: str | None = None
    user_id: str | None = None


class SubscriptionList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of subscriptions; `next` is the `after` of the page that follows."""

    subscriptions: list[Subscription]
    next: str | None = None


class NewPreference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user prefers, in the place of what he preferred; `user_id` of a token that is bound to nobody."""

    category: str
    key: str
    value: Any
    user_id: str | None = None


class PreferenceList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a category's preferences by key; `next` is the `after` of the page that follows."""

    preferences: list[Preference]
    next: str | None = None


class CategoryList(msgspec.Struct, frozen=True, kw_only=True):
    """The categories in which a user has preferences."""

    categories: list[str]


class NewEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value of the configuration; a `sensitive` one is stored sealed and never shown again."""

    key: str
    value: Any
    sensitive: bool = False
    description: str = ""


class ConfigurationList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the configuration by key; `next` is the `after` of the page that follows."""

    configuration: list[ConfigurationEntry]
    next: str | None = None


async def subscriptions(request: Request) -> Response:
    """What a user is told of."""
    page = await served(request, wishes.subscriptions, _user(request), **lists.asked(request))
    return answer(SubscriptionList(subscriptions=page.rows, next=page.next))


async def subscribe(request: Request) -> Response:
    """Have a user told of a session that he takes part in, or of a panel: 201 with the subscription."""
    body = await bodies.decode(request, NewSubscription)
    found = await served(request, wishes.subscribe, body.user_id, body.session_id, body.panel_id)
    return added(request, found, f"{found.user_id} {found.session_id}")


async def unsubscribe(request: Request) -> Response:
    """Have a user told of it no more."""
    session_id, panel_id = queries.text(request, "session_id"), request.query_params.get("panel_id")
    user = await served(request, wishes.unsubscribe, _user(request), session_id, panel_id)
    request.state.about = f"{user} {session_id} {panel_id or ''}".rstrip()
    return Response(status_code=204)


async def preferences(request: Request) -> Response:
    """What a user prefers in a category, by key."""
    category = queries.text(request, "category")
    page = await served(request, wishes.preferences, _user(request), category, **lists.asked(request))
    return answer(PreferenceList(preferences=page.rows, next=page.next))


async def categories(request: Request) -> Response:
    """The categories in which a user has preferences."""
    return answer(CategoryList(categories=await served(request, wishes.categories, _user(request))))


async def prefer(request: Request) -> Response:
    """Keep a preference in the place of what it was."""
    body = await bodies.decode(request, NewPreference)
    found, request.state.change = await served(
        request, wishes.prefer, body.user_id, body.category, body.key, body.value
    )
    request.state.about = f"{found.user_id} {found.category} {found.key}"
    return answer(found)


async def forget(request: Request) -> Response:
    """Forget a preference."""
    category, key = queries.text(request, "category"), queries.text(request, "key")
    found, request.state.change = await served(request, wishes.forget, _user(request), category, key)
    request.state.about = f"{found.user_id} {category} {key}"
    return Response(status_code=204)


async def configuration(request: Request) -> Response:
    """How the tenant is set up, by key; the values of sensitive entries are masked."""
    page = await served(request, configuring.page, **lists.asked(request))
    return answer(ConfigurationList(configuration=page.rows, next=page.next))


async def configure(request: Request) -> Response:
    """Keep a value in the place of what it was; answered masked where it is sensitive."""
    body = await bodies.decode(request, NewEntry)
    found, request.state.change = await served(
        request, configuring.put, body.key, body.value, sensitive=body.sensitive, description=body.description
    )
    request.state.about = found.key
    return answer(found)


async def unconfigure(request: Request) -> Response:
    """Forget a value of the configuration."""
    key = queries.text(request, "key")
    request.state.change = await served(request, configuring.remove, key)
    request.state.about = key
    return Response(status_code=204)


def _user(request: Request) -> str | None:
    return request.query_params.get("user_id")


_WHOSE = Parameter(name="user_id", about="Whose, of a token that is bound to nobody.")
_SUBSCRIPTIONS, _PREFERENCES, _CONFIGURATION = "/v1/subscriptions", "/v1/preferences", "/v1/configuration"
_CATEGORY = Parameter(name="category", about="Which category.", required=True)
_KEY = Parameter(name="key", about="Which key.", required=True)
OPERATIONS = (
    Operation(
        method="GET", path=_SUBSCRIPTIONS, name="list_subscriptions", handler=subscriptions, scope="read",
        about="What a user is told of.", answers={200: SubscriptionList}, parameters=(_WHOSE, *lists.PARAMETERS),
    ),
    Operation(
        method="POST", path=_SUBSCRIPTIONS, name="subscribe", handler=subscribe, scope="execute",
        about="Have a user told of a session or panel.", body=NewSubscription, answers={201: Subscription},
        problems=(404,),
    ),
    Operation(
        method="DELETE", path=_SUBSCRIPTIONS, name="unsubscribe", handler=unsubscribe, scope="execute",
        about="Have a user told of a session or panel no more.", answers={204: None}, problems=(404,),
        parameters=(
            Parameter(name="session_id", about="Which session.", required=True),
            Parameter(name="panel_id", about="Which panel of it; without one, the session as a whole."), _WHOSE,
        ),
    ),
    Operation(
        method="GET", path=_PREFERENCES, name="list_preferences", handler=preferences, scope="read",
        about="What a user prefers in a category.", answers={200: PreferenceList},
        parameters=(_CATEGORY, _WHOSE, *lists.PARAMETERS),
    ),
    Operation(
        method="GET", path=_PREFERENCES + "/categories", name="list_preference_categories", handler=categories,
        scope="read", about="The categories in which a user has preferences.", answers={200: CategoryList},
        parameters=(_WHOSE,),
    ),
    Operation(
        method="PUT", path=_PREFERENCES, name="set_preference", handler=prefer, scope="execute",
        about="Keep a preference.", body=NewPreference, answers={200: Preference}, problems=(404,),
    ),
    Operation(
        method="DELETE", path=_PREFERENCES, name="remove_preference", handler=forget, scope="execute",
        about="Forget a preference.", answers={204: None}, problems=(404,), parameters=(_CATEGORY, _KEY, _WHOSE),
    ),
    Operation(
        method="GET", path=_CONFIGURATION, name="list_configuration", handler=configuration, scope="admin",
        about="How the tenant is set up.", answers={200: ConfigurationList}, parameters=lists.PARAMETERS,
    ),
    Operation(
        method="PUT", path=_CONFIGURATION, name="set_configuration", handler=configure, scope="admin",
        about="Keep a value of the configuration.", body=NewEntry, answers={200: ConfigurationEntry},
    ),
    Operation(
        method="DELETE", path=_CONFIGURATION, name="remove_configuration", handler=unconfigure, scope="admin",
        about="Forget a value of the configuration.", answers={204: None}, problems=(404,), parameters=(_KEY,),
    ),
)  # fmt: skip
