"""Records and targets are kept small, and are plain frozen values all the same."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Resolution, Verdict

ORIGIN = Origin("zones.json", None, "inside")
RECORD = Record(DnsName("www.e.test"), "A", "192.0.2.1", 300, ORIGIN, 17)
PLAIN = Provenance(RECORD, DnsName("e.test"))
RESOLUTION = Resolution(RECORD.name, (), Verdict.RESOLVED, ("192.0.2.1",))
RESOLVED = Provenance(RECORD, DnsName("e.test"), RESOLUTION, DnsName("*.e.test"))
ENDPOINT = Endpoint("192.0.2.1", 443)


def test_a_record_has_its_origin_however_it_is_given():
    """A shared place and a number are the same as an origin with the number in it."""
    whole = replace(RECORD, origin=Origin("zones.json", 17, "inside"))
    assert RECORD.origin == Origin("zones.json", 17, "inside")
    assert whole == RECORD
    assert hash(whole) == hash(RECORD)
    assert repr(whole) == repr(RECORD)
    assert [field.name for field in fields(Record)] == ["name", "type", "data", "ttl", "origin"]
    assert Record(RECORD.name, "A", "192.0.2.1", 300, ORIGIN).origin is ORIGIN


def test_a_record_in_another_view_keeps_its_number():
    """The new origin is one object for all records of the place."""
    places: dict[tuple[Origin, str], Origin] = {}
    other = RECORD.in_view("outside", places)
    assert other.origin == Origin("zones.json", 17, "outside")
    assert replace(RECORD, ttl=1).in_view("outside", places).view == "outside"
    assert replace(other, origin=RECORD.origin) == RECORD
    assert RECORD.in_view("outside", places) == other


@pytest.mark.parametrize("provenance", [(), (PLAIN,), (RESOLVED,), (PLAIN, RESOLVED)])
def test_a_target_gives_back_its_provenance(provenance):
    """None, the usual plain record, and everything else."""
    target = Target(ENDPOINT, DnsName("www.e.test"), provenance)
    assert target.provenance == provenance
    assert replace(target, server_name=DnsName("x")).provenance == provenance
    assert pickle.loads(pickle.dumps(target)).provenance == provenance
    assert target == Target(ENDPOINT, DnsName("www.e.test"))


def test_values_survive_pickling_and_copying():
    """They go to worker processes and come back equal."""
    for value in (RECORD, replace(RECORD, origin=Origin("f", 3)), PLAIN, RESOLVED, Target(ENDPOINT, DnsName("x"), (PLAIN,))):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.deepcopy(value) == value


@pytest.mark.parametrize("name", ["name", "origin", "_index", "anything"])
def test_records_and_targets_are_frozen(name):
    """No field can be set, no new one added."""
    for value in (RECORD, Target(ENDPOINT, DnsName("x"), (PLAIN,))):
        with pytest.raises((FrozenInstanceError, AttributeError)):
            setattr(value, name, 1)
        assert not hasattr(value, "__dict__")
