"""IAM's name of an action, botocore's name of the operation, and which of them only read."""

from __future__ import annotations

import re

SERVICES = {"sso": "sso-admin", "tag": "resourcegroupstaggingapi"}
"""IAM's prefix → botocore's service, where they differ."""

CONNECT = frozenset({"sts:GetCallerIdentity", "organizations:DescribeOrganization", "sts:AssumeRole"})
"""What the connection itself calls, before and beside the kinds of resource: who and where are we, and member roles."""

_READS = re.compile(r"(Describe|Get|List|BatchGet|IsMemberInGroups$|AssumeRole$)")
"""An allow-list: whatever does not begin like this counts as a write. (GetCallerIdentity is a Get; AssumeRole gives
credentials and changes nothing.)"""


def service_of(action: str) -> tuple[str, str]:
    """(botocore's service, operation): ``sso:ListInstances`` is ``("sso-admin", "ListInstances")``."""
    prefix, _, operation = action.partition(":")
    return SERVICES.get(prefix, prefix), operation


def only_reads(operation: str) -> bool:
    """Whether an operation, by its API name, changes nothing."""
    return _READS.match(operation) is not None
