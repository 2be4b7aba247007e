"""What is answered to which request."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.exposed import exposed

from dnscertscan.exporter import Moment, State, answer, read_request
from dnscertscan.exporter.state import Page

NOW = Moment(1_800_000_000, 50)


def state() -> State:
    made = State("1.2.3", 100.0, Moment(1_799_999_950, 0))
    made.succeed(Page.of(b"# HELP a b\n# TYPE a gauge\na 1\n"), Moment(1_799_999_990, 40))
    return made


def ask(head: bytes | None, known: State | None = None) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body)."""
    top, _, body = b"".join(answer(read_request(head), known or state(), lambda: NOW)).partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    return int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines), body


def test_metrics_are_the_results_and_the_exporters_own() -> None:
    """One document, in Prometheus' text format of version 0.0.4, which every version of it reads."""
    status, headers, body = ask(b"GET /metrics HTTP/1.1\r\nHost: x")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert int(headers["content-length"]) == len(body)
    found = exposed(body)
    assert (found["a"], found["dnscertscan_exporter_healthy"]) == ({(): 1}, {(): 1})


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5", " gzip ; q=1"])
def test_gzip_for_those_who_take_it(accepted: str) -> None:
    """The same text, compressed; one gzip member, since not every reader goes on after the first."""
    _, headers, body = ask(f"GET /metrics HTTP/1.1\r\naccept-encoding: {accepted}".encode())
    assert headers["content-encoding"] == "gzip"
    plain = ask(b"GET /metrics HTTP/1.1")[2]
    assert gzip.decompress(body) == plain
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert (reader.decompress(body), reader.eof, reader.unused_data) == (plain, True, b"")


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip; q=0.0", "xgzip"])
def test_no_gzip_for_the_others(accepted: str) -> None:
    """Whoever refuses it gets the text as it is."""
    assert "content-encoding" not in ask(f"GET /metrics HTTP/1.1\r\nAccept-Encoding: {accepted}".encode())[1]


def test_the_page_is_the_same_object_for_everybody() -> None:
    """However many ask at once, it is there once: plain and compressed."""
    known = state()
    for accepted, page in ((b"identity", known.page.plain), (b"gzip", known.page.packed)):
        head = b"GET /metrics HTTP/1.1\r\naccept-encoding: " + accepted
        assert answer(read_request(head), known, lambda: NOW)[1] is page


@pytest.mark.parametrize("path", [b"/livez", b"/-/healthy"])
def test_liveness_is_another_thing_than_health(path: bytes) -> None:
    """Before the first scan, and after one that failed: who restarted the process for that would lose the results it keeps."""
    new = State("1.2.3", 100.0, NOW)
    bad = state()
    bad.fail("no route", NOW)
    for known in (new, bad):
        assert ask(b"GET " + path + b" HTTP/1.1", known)[0] == 200
        for other in (b"/health", b"/healthz", b"/-/ready"):
            assert ask(b"GET " + other + b" HTTP/1.1", known)[0] == 503


def test_the_index_says_which_is_which() -> None:
    """Every path that is answered stands on it."""
    text = ask(b"GET / HTTP/1.1")[2]
    for path in (b"/metrics", b"/health", b"/healthz", b"/-/ready", b"/livez", b"/-/healthy"):
        assert path in text
        assert ask(b"GET " + path + b" HTTP/1.1")[0] == 200


def test_health() -> None:
    """200 and a word, or 503 and the reason."""
    assert ask(b"GET /health HTTP/1.1")[::2] == (200, b"ok: the last scan ended 10 s ago\n")
    bad = state()
    bad.fail("no route", NOW)
    assert ask(b"GET /health?x=y HTTP/1.1", bad)[::2] == (
        503, b"unhealthy: the last scan failed (the results are 10 s old): no route\n"
    )


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1", 200), (b"GET /nothing HTTP/1.1", 404), (b"POST /metrics HTTP/1.1", 405), (b"nonsense", 400),
        (b"GET /metrics", 400), (b"GET metrics HTTP/1.1", 400), (b"GET /metrics HTTP/2", 400), (b"", 400), (None, 400),
        (b"\xff\xfe /\x00 HTTP/1.1", 405),
        (b"GET http://x/health HTTP/1.1", 200), (b"GET HTTPS://[::1]:9793/health?a=/b HTTP/1.1", 200),
        (b"GET http://x HTTP/1.1", 200), (b"GET http://x?/health HTTP/1.1", 200), (b"GET http://x/none HTTP/1.1", 404),
        (b"GET ftp://x/health HTTP/1.1", 400), (b"GET /health HTTP/1.1\nHost: x", 200),
    ],
)
def test_other_requests(head: bytes | None, status: int) -> None:
    """Each has its status and a line that says what there is."""
    assert ask(head)[0] == status


def test_headers_of_lines_that_end_in_lf_alone() -> None:
    """Are the same headers."""
    assert ask(b"GET /metrics HTTP/1.1\nHost: x\nAccept-Encoding: gzip")[1]["content-encoding"] == "gzip"


def test_head_is_the_same_without_the_body() -> None:
    """The headers tell what GET would bring."""
    status, headers, body = ask(b"HEAD /metrics HTTP/1.1")
    assert (status, body) == (200, b"")
    assert headers == ask(b"GET /metrics HTTP/1.1")[1]


@given(st.binary(max_size=300))
def test_any_octets_get_an_answer(head: bytes) -> None:
    """Whatever is sent, the answer is HTTP, and nothing of what was sent is in it."""
    made = answer(read_request(head), state(), lambda: NOW)
    assert made[0].startswith(b"HTTP/1.1 ")
