"""One organization and one commit that changes it in every way there is."""

DENY = '{Version: "2012-10-17", Statement: [{Effect: Deny, Action: "%s:*", Resource: "*"}]}'

BEFORE = f"""
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, backup]
trusted_services: [sso.amazonaws.com, config.amazonaws.com, ram.amazonaws.com]
delegated_administrators: {{audit: [config.amazonaws.com]}}
---
kind: OrganizationalUnits
units:
  Old: {{tags: {{a: "1"}}}}
  Going: {{units: {{Empty: }}}}
  Found:
  Left:
  Stays: {{tags: {{a: "1", b: "2"}}}}
---
kind: Accounts
accounts:
  management: {{email: management@example.com}}
  audit: {{email: audit@example.com, unit: /Stays}}
  shop: {{email: shop@example.com, unit: /Going, tags: {{a: "1", b: "2"}}}}
  data: {{email: data@example.com, unit: /Old}}
---
{{kind: ServiceControlPolicy, name: edited, description: one, targets: {{units: [/Old]}}, content: {DENY % "s3"}}}
---
{{kind: ServiceControlPolicy, name: old, tags: {{a: "1"}}, targets: {{units: [/Old]}}, content: {DENY % "ec2"}}}
---
{{kind: ServiceControlPolicy, name: going, targets: {{units: [/Going], accounts: [shop]}}, content: {DENY % "iam"}}}
---
{{kind: ServiceControlPolicy, name: found, targets: {{units: [/Found]}}, content: {DENY % "kms"}}}
---
{{kind: ServiceControlPolicy, name: left, targets: {{units: [/Left]}}, content: {DENY % "sqs"}}}
---
{{kind: PermissionSet, name: Edited, description: one, session_duration: PT1H, managed_policies: [ReadOnlyAccess],
  inline_policy: {DENY % "s3"}, tags: {{a: "1"}}}}
---
{{kind: PermissionSet, name: OldName, managed_policies: [SecurityAudit]}}
---
{{kind: PermissionSet, name: Going, managed_policies: [ReadOnlyAccess]}}
---
{{kind: PermissionSet, name: Found, managed_policies: [ReadOnlyAccess]}}
---
{{kind: PermissionSet, name: Left, managed_policies: [ReadOnlyAccess]}}
---
kind: Assignments
assignments:
  - {{group: admins, permission_sets: [Edited, Going], targets: {{accounts: [shop]}}}}
  - {{group: admins, permission_sets: [OldName], targets: {{accounts: [data]}}}}
  - {{group: admins, permission_sets: [Found], targets: {{accounts: [audit]}}}}
---
kind: SecurityHub
regions: [us-east-1]
targets: {{accounts: [audit, shop]}}
standards: [cis-aws-foundations-benchmark/v/3.0.0]
disabled_controls: [{{control: IAM.6, reason: Once}}]
---
kind: SecurityHub
regions: [us-east-1]
targets: {{accounts: [data]}}
standards: [cis-aws-foundations-benchmark/v/3.0.0]
"""

LIVE = """
---
kind: SandboxWorld
not_owned:
  - organizational_unit/Found
  - service_control_policy/found
  - permission_set/Found
  - security_hub/data/us-east-1
people:
  users: {alice: {}}
  groups: {admins: [alice], readers: []}
units: {/Theirs: {}}
policies: [{name: theirs, content: {Version: "2012-10-17", Statement: []}, attached_to: {units: [/Theirs]}}]
permission_sets: {Theirs: {managed_policies: [AdministratorAccess]}}
assignments: [{user: alice, permission_set: Theirs, accounts: [audit]}]
delays: {"*": 2}
"""

AFTER = f"""
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, tag]
trusted_services: [sso.amazonaws.com, config.amazonaws.com, account.amazonaws.com, securityhub.amazonaws.com]
delegated_administrators: {{audit: [securityhub.amazonaws.com], data: [config.amazonaws.com]}}
disable:
  policy_types: [backup]
  trusted_services: [ram.amazonaws.com]
  delegated_administrators: {{audit: [config.amazonaws.com]}}
---
kind: OrganizationalUnits
units:
  New: {{formerly: Old, tags: {{a: "2"}}}}
  Going: {{deleted: true, units: {{Empty: {{deleted: true}}}}}}
  Found:
  Left: {{released: true}}
  Stays: {{tags: {{b: "3", c: "4"}}}}
  Fresh: {{units: {{Deep: {{tags: {{a: "1"}}}}}}}}
---
kind: Accounts
accounts:
  management: {{email: management@example.com}}
  audit: {{email: audit@example.com, unit: /Stays}}
  shop:
    email: shop@example.com
    unit: /Fresh/Deep
    tags: {{b: "3", c: "4"}}
    contacts: {{security: {{name: SOC, title: On call, email: soc@example.com, phone: "+1 555 0100"}}}}
  data: {{email: data@example.com, unit: /New}}
---
{{kind: ServiceControlPolicy, name: edited, description: two, targets: {{units: [/Stays]}}, content: {DENY % "sns"}}}
---
{{kind: ServiceControlPolicy, name: new, formerly: old, tags: {{b: "2"}}, targets: {{units: [/New]}},
  content: {DENY % "ec2"}}}
---
{{kind: ServiceControlPolicy, name: going, deleted: true}}
---
{{kind: ServiceControlPolicy, name: found, targets: {{units: [/Found]}}, content: {DENY % "kms"}}}
---
{{kind: ServiceControlPolicy, name: left, released: true}}
---
kind: ServiceControlPolicy
name: fresh
tags: {{a: "1"}}
targets: {{units: [/Fresh, /Fresh/Deep], accounts: [shop]}}
content:
  Version: "2012-10-17"
  Statement:
    - {{Effect: Deny, Action: "s3:*", Resource: "*",
        Condition: {{"ForAllValues:StringNotEquals":
          {{"aws:PrincipalOrgPaths": ["{{{{ unit('/Fresh/Deep').path }}}}"]}}}}}}
---
{{kind: TagPolicy, name: spelling, targets: {{units: [/]}},
  content: {{tags: {{team: {{tag_key: {{"@@assign": Team}}}}}}}}}}
---
kind: PermissionSet
name: Edited
description: two
session_duration: PT2H
managed_policies: [SecurityAudit]
customer_managed_policies: [{{name: team, path: /}}]
inline_policy: {{}}
permissions_boundary: {{managed_policy: ReadOnlyAccess}}
tags: {{b: "2"}}
---
{{kind: PermissionSet, name: NewName, formerly: OldName, managed_policies: [SecurityAudit]}}
---
{{kind: PermissionSet, name: Going, deleted: true}}
---
{{kind: PermissionSet, name: Found, managed_policies: [ReadOnlyAccess]}}
---
{{kind: PermissionSet, name: Left, released: true}}
---
{{kind: PermissionSet, name: Fresh, session_duration: PT4H, managed_policies: [ReadOnlyAccess, SecurityAudit],
  inline_policy: {DENY % "s3"}, permissions_boundary: {{managed_policy: ReadOnlyAccess}}, tags: {{a: "1"}}}}
---
kind: Assignments
assignments:
  - {{group: readers, permission_sets: [Edited], targets: {{accounts: [shop]}}}}
  - {{group: admins, permission_sets: [NewName], targets: {{accounts: [data]}}}}
  - {{group: admins, permission_sets: [Found], targets: {{accounts: [audit]}}}}
  - {{group: admins, permission_sets: [Fresh], targets: {{units: [/Fresh]}}}}
---
kind: SecurityHub
regions: [us-east-1]
targets: {{accounts: [audit, shop]}}
standards: [nist-800-53/v/5.0.0]
disabled_controls: [{{control: IAM.6, reason: Twice}}, {{control: ACM.1, reason: Our own}}]
---
kind: SecurityHub
regions: [us-east-1]
targets: {{accounts: [data]}}
standards: [cis-aws-foundations-benchmark/v/3.0.0]
disabled_controls: [{{control: IAM.6, reason: Once}}]
---
kind: SecurityHub
regions: [eu-west-1]
targets: {{accounts: [shop]}}
standards: [cis-aws-foundations-benchmark/v/3.0.0]
disabled_controls: [{{control: IAM.6, reason: Once}}]
"""
