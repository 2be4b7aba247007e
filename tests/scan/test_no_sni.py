"""What is shown without SNI: one asks, the others share; nobody waits long, and nothing is taken for an answer that is none."""

import asyncio

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.scan import no_sni
from dnscertscan.scan.merge import NO_SNI, Received
from dnscertscan.scan.no_sni import Answer, NoSniLists

PLACE = Endpoint("192.0.2.1", 443)
LIST = Received((b"leaf",), NO_SNI)


def test_one_asks_the_others_share() -> None:
    """While the first asks, the others wait for his answer; later ones have it at once."""
    async def run() -> None:
        lists = NoSniLists()
        assert await lists.get(PLACE, "TLS 1.3", 8.0) is None
        others = [asyncio.create_task(lists.get(PLACE, "TLS 1.3", 8.0)) for _ in range(3)]
        await asyncio.sleep(0)
        lists.put(PLACE, "TLS 1.3", LIST)
        assert await asyncio.gather(*others) == [Answer(LIST)] * 3
        assert await lists.get(PLACE, "TLS 1.3", 8.0) == Answer(LIST)

    asyncio.run(run())


def test_no_list_is_an_answer() -> None:
    """An endpoint that shows nothing without SNI is not asked again."""
    async def run() -> None:
        lists = NoSniLists()
        await lists.get(PLACE, "TLS 1.3", 8.0)
        lists.put(PLACE, "TLS 1.3", None)
        assert await lists.get(PLACE, "TLS 1.3", 8.0) == Answer(None)

    asyncio.run(run())


def test_a_failed_question_is_asked_again() -> None:
    """When the one who asked was cut off, those who waited ask themselves; what is known already stays."""
    async def run() -> None:
        lists = NoSniLists()
        await lists.get(PLACE, "TLS 1.3", 8.0)
        waiting = asyncio.create_task(lists.get(PLACE, "TLS 1.3", 8.0))
        await asyncio.sleep(0)
        lists.give_up(PLACE, "TLS 1.3")
        assert await waiting is None
        assert await lists.get(PLACE, "TLS 1.3", 8.0) is None
        lists.put(PLACE, "TLS 1.3", LIST)
        lists.give_up(PLACE, "TLS 1.3")
        assert await lists.get(PLACE, "TLS 1.3", 8.0) == Answer(LIST)

    asyncio.run(run())


def test_no_answer_is_asked_again_three_times() -> None:
    """An endpoint that says nothing at all is asked by the next two; then that is known, and an answer in between counts."""
    async def run() -> None:
        lists, other = NoSniLists(), Endpoint("192.0.2.2", 443)
        for _ in range(3):
            assert await lists.get(PLACE, "TLS 1.3", 8.0) is None
            lists.no_answer(PLACE, "TLS 1.3")
            lists.give_up(PLACE, "TLS 1.3")
        assert await lists.get(PLACE, "TLS 1.3", 8.0) == Answer(None)
        await lists.get(other, "TLS 1.3", 8.0)
        lists.no_answer(other, "TLS 1.3")
        assert await lists.get(other, "TLS 1.3", 8.0) is None
        lists.put(other, "TLS 1.3", LIST)
        lists.no_answer(other, "TLS 1.3")
        assert await lists.get(other, "TLS 1.3", 8.0) == Answer(LIST)

    asyncio.run(run())


def test_waiting_is_short() -> None:
    """Who has waited a quarter of his time asks himself, at the same time as the first."""
    async def run() -> None:
        lists = NoSniLists()
        await lists.get(PLACE, "TLS 1.3", 8.0)
        async with asyncio.timeout(5):
            assert await lists.get(PLACE, "TLS 1.3", 0.2) is None
        lists.put(PLACE, "TLS 1.3", LIST)
        assert await lists.get(PLACE, "TLS 1.3", 8.0) == Answer(LIST)

    asyncio.run(run())


def test_other_questions_are_not_answered() -> None:
    """Another protocol or port is another question; XMPP names its host before TLS, so that nothing can be shared."""
    async def run() -> None:
        lists, jabber = NoSniLists(), Endpoint("192.0.2.1", 5222, "xmpp")
        await lists.get(PLACE, "TLS 1.3", 8.0)
        lists.put(PLACE, "TLS 1.3", LIST)
        lists.put(jabber, "TLS 1.3", LIST)
        for endpoint, protocol in ((PLACE, "TLS 1.2"), (Endpoint("192.0.2.1", 444), "TLS 1.3"), (jabber, "TLS 1.3")):
            assert await lists.get(endpoint, protocol, 8.0) is None

    asyncio.run(run())


def test_the_oldest_answers_are_forgotten() -> None:
    """The number kept is bounded; those who wait for a forgotten one ask themselves."""
    async def run() -> None:
        lists = NoSniLists()
        await lists.get(PLACE, "TLS 1.3", 8.0)
        waiting = asyncio.create_task(lists.get(PLACE, "TLS 1.3", 8.0))
        await asyncio.sleep(0)
        for port in range(no_sni._MOST):
            await lists.get(Endpoint("192.0.2.2", port), "TLS 1.3", 8.0)
        assert await waiting is None
        assert len(lists._answers) == no_sni._MOST

    asyncio.run(run())
