from __future__ import annotations

import asyncio
import threading

import pytest

from app.services.large_answers import LARGE_CELLS, LargeAnswers
from tests.services.jobs import until


@pytest.mark.parametrize(("cells", "n_begun"), [(LARGE_CELLS, 1), (LARGE_CELLS - 1, 3)])
def test_only_large_answers_wait_for_one_another(cells: int, n_begun: int) -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def make(number: int) -> int:
        begun.append(number)
        assert go_on.wait(30)
        return number

    async def scenario() -> None:
        answers = LargeAnswers()
        large = [asyncio.ensure_future(answers.made(cells, make, n)) for n in range(3)]
        await until(lambda: len(begun) == n_begun)
        small = asyncio.ensure_future(answers.made(1, make, 9))
        await until(lambda: 9 in begun)
        assert len(begun) == n_begun + 1
        go_on.set()
        assert await asyncio.gather(*large, small) == [0, 1, 2, 9]

    asyncio.run(scenario())
