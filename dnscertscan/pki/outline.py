"""Issuer and serial number of a certificate without the rest: a twentieth of the work where nothing else matters."""

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.dn import Key, read_name
from dnscertscan.pki.parse import parse


def issued_by(certificate: Certificate) -> tuple[Key, bytes]:
    """The issuer's name (to compare) and the serial number, the same as :func:`~dnscertscan.pki.parse.parse` reads them.

    Never raises. The rest of the certificate may be broken: whoever needs a whole one has to parse it.
    """
    data = certificate.der
    try:
        start, stop = der.whole(data, der.SEQUENCE, "certificate")
        start, stop = der.expect(data, start, stop, der.SEQUENCE, "tbsCertificate")
        tag, first, after = der.read(data, start, stop)
        if tag == 0xA0:  # the version
            tag, first, after = der.read(data, after, stop)
        _, behind = der.expect(data, after, stop, der.SEQUENCE, "signature algorithm")
        name, _ = read_name(data, behind, stop)
        if tag == der.INTEGER:
            return name.key, data[first:after]
    except der.DerError:
        pass  # BER perhaps, which takes a second reading
    facts = parse(certificate)
    return facts.issuer.key, facts.serial
