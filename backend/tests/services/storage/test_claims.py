"""Of the servers that share a database, one works on a job."""

from __future__ import annotations

import asyncio
import time

from app.services.storage.database import Database


async def claims_of_two_servers(url: str) -> list[bool]:
    first, second = Database(url), Database(url)
    found = [
        await first.claim("job"),
        await second.claim("job"),
        await first.claim("job"),
        await second.claim("other"),
    ]
    first.begin_giving_up("job")
    await first.open()  # in the line of writes, after the claim was given up
    found.append(await second.claim("job"))
    second.close()
    # The database notices a connection that has ended a moment later.
    deadline = time.monotonic() + 30
    while not (is_free := await first.claim("other")) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    found.append(is_free)
    first.close()
    return found


def test_only_one_server_has_a_claim_until_it_gives_it_up_or_ends(postgresql_url: str) -> None:
    assert asyncio.run(claims_of_two_servers(postgresql_url)) == [
        True,
        False,
        True,
        True,
        True,
        True,
    ]


def test_a_server_with_a_file_of_its_own_has_every_claim(own_database: str) -> None:
    database = Database(own_database)

    assert asyncio.run(database.claim("job"))
    database.close()
