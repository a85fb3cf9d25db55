"""The backends of the contract suite, and an embedded engine beside them to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from codemode import Session, Worker
from tests.contract.backends import BACKENDS, Backend, SessionLike


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with BACKENDS[request.param](tmp_path_factory.mktemp("contract")) as backend:
        yield backend


@pytest.fixture(scope="session")
def reference() -> Iterator[Worker]:
    """An embedded worker: what every backend has to answer like."""
    with Worker() as worker:
        yield worker


@pytest.fixture
def there(backend: Backend) -> SessionLike:
    """A new session of the backend."""
    session: SessionLike = backend.session()
    return session


@pytest.fixture
def complete(backend: Backend) -> Backend:
    """A backend that has every call."""
    if not backend.whole:
        pytest.skip("this backend has a part of the calls")
    return backend


@pytest.fixture
def whole(backend: Backend, there: SessionLike) -> Any:
    """The same where it has every call of a session."""
    if not backend.whole:
        pytest.skip("this backend has a part of the calls")
    return there


@pytest.fixture
def here(reference: Worker) -> Session:
    """A new session of the engine itself."""
    return reference.session()
