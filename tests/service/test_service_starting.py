"""Few executions begin at a time, and none is kept from beginning by others that run long."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from codemode.service.starting import Place, Starting

THREADS = ThreadPoolExecutor(1)  # which nothing runs in: it makes its thread when something does


async def passed(place: Place) -> bool:
    """Whether the place is had at once."""
    try:
        async with asyncio.timeout(0.05):
            await place.take()
    except TimeoutError:
        return False
    return True


def test_who_comes_when_all_places_are_taken_waits_until_one_is_given_up() -> None:
    async def check() -> None:
        starting = Starting(THREADS, places=1, seconds=60)
        first, second = Place(starting), Place(starting)
        assert await passed(first)
        assert not await passed(second)  # and what it waited for is not lost
        first.give_up()
        first.give_up()  # gives no second place
        assert await passed(second)
        assert not await passed(Place(starting))

    asyncio.run(check())


@pytest.mark.parametrize("others", [1, 5])
def test_one_that_runs_long_keeps_nobody_from_beginning(others: int) -> None:
    async def check() -> None:
        starting = Starting(THREADS, places=1, seconds=0.001)
        long = Place(starting)
        await long.take()
        async with asyncio.timeout(30):
            for _ in range(others):  # none of which gives its place up
                await Place(starting).take()
            long.give_up()
            await Place(starting).take()

    asyncio.run(check())


def test_a_place_that_is_handed_to_one_who_gives_up_goes_to_the_next() -> None:
    async def check() -> None:
        starting = Starting(THREADS, places=1, seconds=60)
        first = Place(starting)
        assert first.take_if_free()
        gone, stays = (asyncio.ensure_future(Place(starting).take()) for _ in range(2))
        await asyncio.sleep(0)
        first.give_up()
        gone.cancel()  # before it has learnt of it
        async with asyncio.timeout(30):
            await stays
        assert not Place(starting).take_if_free()

    asyncio.run(check())
