"""Which URLs and addresses may be asked at all."""

import pytest

from dnscertscan.web.places import NotFetched, check_address, read_url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://crl.example/a.crl", ("http", "crl.example", 80, "/a.crl")),
        ("HTTPS://CRL.Example.:443?x=1", ("https", "crl.example", 443, "/?x=1")),
        ("http://[2001:db8::1]/a#fragment", ("http", "2001:db8::1", 80, "/a")),
        ("http://under_score.example:443/", ("http", "under_score.example", 443, "/")),
    ],
)
def test_ordinary_urls(url: str, place: tuple[object, ...]) -> None:
    """Scheme, host, port, path; no fragment."""
    found = read_url(url, allow_private=False)
    assert (found.scheme, found.host, found.port, found.path) == place


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ldap://ldap.example/cn=CA", "only http and https"), ("file:///etc/passwd", "only http and https"),
        ("ftp://a.example/", "only http and https"), ("gopher://a.example/", "only http and https"), ("", "empty"),
        ("//a.example/", "only http and https"), ("http://user:secret@a.example/", "user information"),
        ("http://@a.example/", "user information"), ("http://a.example:8080/", "port 8080"), ("http://a.example:22/", "port 22"),
        ("http://a.example:99999/", "cannot be read"), ("http://[::1/", "cannot be read"), ("http:///a", "names no host"),
        ("http://a.example/a b", "characters"), ("http://a.example/\r\nX: y", "characters"),
        ("http://b\u00fccher.example/", "characters"),
        ("http://a%00.example/", "names no host"), ("http://a.example/" + "a" * 3000, "too long"),
    ],
)
def test_other_urls_are_refused(url: str, words: str) -> None:
    """Nothing but HTTP, no user information, no odd ports: a certificate may not steer us anywhere."""
    with pytest.raises(NotFetched, match=words):
        read_url(url, allow_private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """The Internet may be asked."""
    check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    """Loopback, private, link-local, multicast, reserved ones, and those hidden inside IPv6 addresses."""
    with pytest.raises(NotFetched, match=r"not a public one \(allow_private"):
        check_address(address)


def test_private_networks_by_permission() -> None:
    """allow_private opens other ports, but no other scheme."""
    assert read_url("http://ca.internal:8080/a", allow_private=True).authority == "ca.internal:8080"
    with pytest.raises(NotFetched):
        read_url("ldap://ca.internal/", allow_private=True)


@pytest.mark.parametrize(
    ("location", "ending"),
    [("/b", "http://1.2.3.4:80/b"), ("c?d", "http://1.2.3.4:80/x/c?d"), ("https://b.example/e", "https://1.2.3.4:443/e")],
)
def test_redirects(location: str, ending: str) -> None:
    """Relative and absolute ones; what was checked is what is asked."""
    place = read_url("http://a.example/x/y", allow_private=False)
    assert place.redirected(location, allow_private=False).at("1.2.3.4") == ending


@pytest.mark.parametrize("location", ["ftp://a.example/", "file:///a", "http://a.example:25/", "http://u@a.example/", "http://[x/"])
def test_redirects_elsewhere_are_refused(location: str) -> None:
    """A redirect gets nowhere that the URL itself would not have got."""
    with pytest.raises(NotFetched, match="redirects to"):
        read_url("http://a.example/", allow_private=False).redirected(location, allow_private=False)
