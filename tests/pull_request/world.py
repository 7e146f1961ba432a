"""A small organization, and a commit that changes a bit of everything for its people."""

from __future__ import annotations

WORLD = """\
kind: Organization
policy_types: [service_control, resource_control, tag]
---
kind: OrganizationalUnits
units:
  Prod: {units: {Payments: }}
  Dev:
  Sandbox:
---
kind: Accounts
accounts:
  shop-prod: {email: aws+shop-prod@example.com, unit: /Prod, tags: {env: prod}}
  pay-prod: {email: aws+pay-prod@example.com, unit: /Prod/Payments, tags: {env: prod}}
  shop-dev: {email: aws+shop-dev@example.com, unit: /Dev}
  data-dev: {email: aws+data-dev@example.com, unit: /Dev}
---
kind: ServiceControlPolicy
name: region-lock
targets: {units: [/Prod, /Dev]}
content:
  Version: "2012-10-17"
  Statement:
    - Sid: Regions
      Effect: Deny
      NotAction: ["iam:*", "sts:*"]
      Resource: "*"
      Condition:
        StringNotEquals: {"aws:RequestedRegion": [eu-west-1]}
        ArnNotLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/OrgctlMember"}
---
kind: ServiceControlPolicy
name: guard
targets: {units: [/Prod]}
content:
  Version: "2012-10-17"
  Statement:
    - {Sid: Leave, Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}
    - {Sid: Trail, Effect: Deny, Action: ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"], Resource: "*"}
---
kind: TagPolicy
name: cost-centre
targets: {units: [/Prod]}
content: {tags: {cost-centre: {tag_key: {"@@assign": cost-centre}}}}
---
kind: PermissionSet
name: PowerUserAccess
managed_policies: [PowerUserAccess]
---
kind: PermissionSet
name: AuditAccess
managed_policies: [SecurityAudit]
---
kind: Assignments
assignments:
  - {group: developers, permission_sets: [PowerUserAccess], targets: {units: [/Dev]}}
  - {group: auditors, permission_sets: [AuditAccess], targets: {units: [/]}}
  - {user: alice, permission_sets: [PowerUserAccess], targets: {accounts: [shop-prod]}}
"""

PEOPLE = """\
---
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}}
  groups: {developers: [alice, bob], auditors: [bob]}
"""

NO_KEYS = """\
---
kind: ServiceControlPolicy
name: no-keys
targets: {units: [/Sandbox, /Prod/Payments], accounts: [data-dev]}
content:
  Version: "2012-10-17"
  Statement:
    - Sid: NoUsers
      Effect: Deny
      Action: ["iam:CreateUser", "iam:CreateAccessKey"]
      Resource: "*"
      Condition: {ArnNotLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/Break*"}}
"""

COMMIT = WORLD + NO_KEYS
for old, new in (
    ("shop-dev@example.com, unit: /Dev", "shop-dev@example.com, unit: /Sandbox"),
    ("[eu-west-1]", "[eu-west-1, eu-central-1]"),
    ('"cloudtrail:DeleteTrail"]', '"cloudtrail:UpdateTrail"]'),
    ("targets: {units: [/Prod]}\ncontent: {tags", "targets: {units: [/Dev]}\ncontent: {tags"),
    ("[SecurityAudit]", "[SecurityAudit, job-function/ViewOnlyAccess]"),
    ("targets: {accounts: [shop-prod]}}", 'targets: {accounts: [pay-prod]}, until: "2060-01-01T00:00:00Z"}'),
):
    assert old in COMMIT, old
    COMMIT = COMMIT.replace(old, new)
