"""The YAML format, one pydantic model per document kind. A new kind is a file here and a line in `MODELS`."""

from collections.abc import Iterable, Mapping
from typing import get_args

from controller.desired.documents.accounts import Accounts
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.base import DocumentModel
from controller.desired.documents.organization import Organization
from controller.desired.documents.organizational_units import OrganizationalUnits
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.documents.security_hub import SecurityHub

MODELS: tuple[type[DocumentModel], ...] = (
    Organization,
    OrganizationalUnits,
    Accounts,
    Policy,
    PermissionSet,
    Assignments,
    SecurityHub,
)


def by_kind(models: Iterable[type[DocumentModel]]) -> Mapping[str, type[DocumentModel]]:
    """kind → model; a model may serve several kinds."""
    return {kind: model for model in models for kind in get_args(model.model_fields["kind"].annotation)}
