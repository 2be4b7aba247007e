"""Logs whose private keys are public: Google's mimic logs, made to break programs that trust any list they can download.

From GoogleChrome/CertificateTransparency, mimics/mimic1.pem and mimic2.pem, as of 2026-10. An SCT of them proves nothing.
"""

from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType

MIMICS: Mapping[bytes, str] = MappingProxyType({
    b64decode("9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk="): "mimic1",
    b64decode("si9+3rWvav5QPeBAgbLXTBJThJL+3yyypSZQPO9TztI="): "mimic2",
})
"""Log id -> name."""
