"""All kinds of resource, each listed once: in the order in which a person reads a plan."""

from __future__ import annotations

from typing import Any

from controller.resources.account import Accounts
from controller.resources.account_assignment import AccountAssignments
from controller.resources.base import Kind
from controller.resources.delegated_administrator import DelegatedAdministrators
from controller.resources.organizational_unit import OrganizationalUnits
from controller.resources.permission_set import PermissionSets
from controller.resources.policies import (
    AiServicesOptOutPolicies,
    BackupPolicies,
    DeclarativePolicies,
    ResourceControlPolicies,
    ServiceControlPolicies,
    TagPolicies,
)
from controller.resources.policy_attachment import PolicyAttachments
from controller.resources.policy_type import PolicyTypes
from controller.resources.security_hub import SecurityHubs
from controller.resources.trusted_service import TrustedServices

KINDS: tuple[Kind[Any], ...] = (
    PolicyTypes(),
    TrustedServices(),
    OrganizationalUnits(),
    Accounts(),
    DelegatedAdministrators(),
    ServiceControlPolicies(),
    ResourceControlPolicies(),
    TagPolicies(),
    BackupPolicies(),
    AiServicesOptOutPolicies(),
    DeclarativePolicies(),
    PolicyAttachments(),
    PermissionSets(),
    AccountAssignments(),
    SecurityHubs(),
)
