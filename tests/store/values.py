"""Everything an observation can be, made up by Hypothesis: hostile texts, lone surrogates, any octets."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.findings import Finding, Rule, Scope, Severity, Subject
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import (
    ClientAuth,
    Deployment,
    Failure,
    FailureKind,
    Handshake,
    Observation,
    StoreVerdict,
)
from dnscertscan.model.report import CoverageRow, State

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ODD = ("", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ud83d\ude00", "\U0001f600", "\x1b[2J", "\u202e", "\xff", "a\x00\xff")
texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=()), max_size=12))
octets = st.binary(max_size=40)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=st.one_of(st.just(UTC), offsets))
failures = st.builds(Failure, st.sampled_from(FailureKind), texts)
tuples = st.lists(texts, max_size=3).map(tuple)
deployments = st.builds(
    Deployment, st.lists(octets.map(Certificate), max_size=4).map(tuple), tuples, st.booleans(), st.none() | octets,
    st.lists(st.builds(StoreVerdict, texts, st.booleans(), st.none() | texts), max_size=2).map(tuple), texts, st.none() | octets,
)
handshakes = st.builds(
    Handshake, st.lists(deployments, max_size=3).map(tuple), texts, texts, st.sampled_from(ClientAuth), tuples,
    st.none() | failures, texts, tuples,
)
endpoints = st.builds(Endpoint, texts, st.integers(0, 65535), texts)
targets = st.builds(Target, endpoints, texts.map(DnsName))
observations = st.builds(
    Observation, targets, failures | handshakes, texts, moments, st.floats(0, 1e6, allow_nan=False, allow_infinity=False)
)
rules = st.builds(
    Rule, texts, texts, texts, st.sampled_from(Severity), st.sampled_from(Scope), texts, texts, tuples
)
references = st.builds(
    CertificateRef, st.none() | st.integers(0, 9), texts, texts, texts, texts, st.none() | moments, st.none() | moments
)
ports = st.none() | st.integers(1, 65535)
subjects = st.builds(Subject, texts, texts, texts, ports, texts, texts)
findings = st.builds(
    Finding, rules, st.sampled_from(Severity), subjects, texts, st.none() | references, st.none() | texts, st.none() | references,
    ct=st.sampled_from(["", "logged", "not-logged", "unknown", "private"]),
)
rows = st.builds(
    CoverageRow, texts, texts, texts, texts, ports, st.sampled_from(State), texts, texts, texts, texts,
    st.none() | st.floats(0, 1e6, allow_nan=False),
)
