"""The simulated IAM Identity Center, botocore's `sso-admin`: permission sets, who has them, what reached accounts."""

from controller.sandbox.identity_center.assignments import Assignments
from controller.sandbox.identity_center.instance import Instance
from controller.sandbox.identity_center.permission_sets import PermissionSets
from controller.sandbox.identity_center.policies import Policies
from controller.sandbox.identity_center.provisioning import Provisioning

__all__ = ["IdentityCenter"]


class IdentityCenter(Assignments, Provisioning, PermissionSets, Policies, Instance):
    """All operations of the service. What AWS does later is settled when somebody asks."""
