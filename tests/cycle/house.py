"""A whole orgctl against a simulated organization, in one process and in no time at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from textwrap import dedent
from typing import Any

import boto3
import botocore.session

from controller.aws.connect import connect
from controller.aws.known import Known
from controller.catalogue.security_hub import control_ids, standard_of
from controller.config import Settings
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.planning.plan import Plan
from controller.reconcile import Controller, Look
from controller.report import Report
from controller.sandbox.inprocess import VirtualTime, attach
from controller.sandbox.rules import Switch
from controller.sandbox.sandbox import READS, Sandbox
from controller.sandbox.seed.reading import parse
from controller.sandbox.seed.sowing import sow
from controller.store import Store


def files(text: str) -> Files:
    return Files({"estate.yaml": dedent(text).encode()})


class House:
    """One organization, one controller. `seed` and `git` are YAML; git starts as the seed's desired state.

    Args:
        rules: Of the sandbox, by name (`controller.sandbox.rules`): STRICT for all that AWS does.
        random: What the sandbox's chances come from.

    Attributes:
        git: What the repository says; change it and call `cycle`.
    """

    def __init__(
        self,
        seed: str,
        git: str | None = None,
        *,
        rules: Mapping[str, Switch] | None = None,
        random: int = 0,
        **settings: Any,
    ) -> None:
        given = parse(files(seed))
        self.sandbox = Sandbox.create(
            virtual=True, seed=random, management_account=given.document.management.id, rules=rules
        )
        sow(self.sandbox.world, given.estate, given.document)
        self.clock = VirtualTime(self.sandbox)
        self.git = seed if git is None else git
        self.settings = Settings(
            **{
                "organization": self.sandbox.world.organization_id,
                "mode": "enforce",
                "rate_multiple": 1000.0,
                "workers": 8,
                **settings,
            }
        )
        self.store = Store(":memory:", self.clock)
        self.controller = self.another()

    def another(self, *, known: Known | None = None, **settings: Any) -> Controller:
        """One more controller of the same organization (a restart, or a second instance), with the same store."""
        chosen = self.settings.model_copy(update=settings)
        session = botocore.session.Session()
        session.set_credentials(self.sandbox.world.management_account, "sandbox")
        attach(boto3.Session(botocore_session=session), self.sandbox)
        return Controller(
            chosen,
            self.clock,
            self.store,
            lambda observer: connect(chosen, self.clock, read_only=False, observer=observer, session=session),
            known=known,
        )

    def cycle(self, look: Look = Look.ALL) -> Report:
        return self.controller.cycle(self.desired(), look)

    def plan(self) -> Plan:
        return self.controller.plan(self.desired()).plan

    def desired(self) -> Estate:
        return load(self._git(), now=self.clock.now())

    def converge(self, cycles: int = 4) -> Report:
        """Cycles until one finds nothing more to write."""
        for _ in range(cycles):
            report = self.cycle()
            if not report.plan.free:
                return report
            self.clock.sleep(timedelta(minutes=1).total_seconds())
        raise AssertionError([o for o in report.outcomes if o.result != "applied"] or report.plan.changes)

    def _git(self) -> Files:
        return files(self.git)

    # What happens to the organization without orgctl

    def by_hand(self, action: str, account: str | None = None, region: str = "us-east-1", **parameters: Any) -> Any:
        """What somebody with console access does: ``by_hand("organizations:DetachPolicy", PolicyId=…)``."""
        service, operation = action.split(":")
        return self.sandbox.call(service, operation, parameters, account=account, region=region)

    def calls_written(self) -> Counter[str]:
        """Calls so far that were no reads."""
        return Counter(
            {name: n for name, n in self.sandbox.world.calls.items() if not name.split(":")[1].startswith(READS)}
        )

    # What is so

    def attached(self, policy: str) -> set[str]:
        """Names of what a policy is attached to."""
        world = self.sandbox.world
        found = next(p for p in world.policies.values() if p.name == policy)
        return {self.name_of(target) for target in found.targets}

    def name_of(self, id: str) -> str:
        world = self.sandbox.world
        return world.accounts[id].name if id in world.accounts else world.units[id].name

    def policies(self) -> set[str]:
        return {p.name for p in self.sandbox.world.policies.values() if not p.aws_managed}

    def units(self) -> set[str]:
        return {u.name for u in self.sandbox.world.units.values() if u.parent is not None}

    def place(self, account: str) -> str:
        """Name of the OU that an account lies in."""
        world = self.sandbox.world
        return self.name_of(next(a.parent for a in world.accounts.values() if a.name == account))

    def policy_id(self, name: str) -> str:
        return next(p.id for p in self.sandbox.world.policies.values() if p.name == name)

    def unit_id(self, name: str) -> str:
        return next(u.id for u in self.sandbox.world.units.values() if u.name == name)

    def permission_set(self, name: str) -> dict[str, str]:
        """Its ``arn``, and the ``instance``'s."""
        instance = self.by_hand("sso-admin:ListInstances")["Instances"][0]["InstanceArn"]
        for arn in self.by_hand("sso-admin:ListPermissionSets", InstanceArn=instance)["PermissionSets"]:
            if self._describe(instance, arn)["Name"] == name:
                return {"arn": arn, "instance": instance}
        raise KeyError(name)

    def permission_sets(self) -> set[str]:
        instance = self.by_hand("sso-admin:ListInstances")["Instances"][0]["InstanceArn"]
        arns = self.by_hand("sso-admin:ListPermissionSets", InstanceArn=instance)["PermissionSets"]
        return {self._describe(instance, arn)["Name"] for arn in arns}

    def _describe(self, instance: str, arn: str) -> dict[str, Any]:
        got = self.by_hand("sso-admin:DescribePermissionSet", InstanceArn=instance, PermissionSetArn=arn)
        described: dict[str, Any] = got["PermissionSet"]
        return described

    def access(self) -> set[str]:
        """``principal/permission set/account`` of every assignment there is."""
        instance = self.by_hand("sso-admin:ListInstances")["Instances"][0]
        names = {g["GroupId"]: g["DisplayName"] for g in self._people(instance, "ListGroups", "Groups")}
        names |= {u["UserId"]: u["UserName"] for u in self._people(instance, "ListUsers", "Users")}
        found = set()
        arns = self.by_hand("sso-admin:ListPermissionSets", InstanceArn=instance["InstanceArn"])["PermissionSets"]
        for arn in arns:
            name = self._describe(instance["InstanceArn"], arn)["Name"]
            for account in self.sandbox.world.accounts.values():
                rows = self.by_hand(
                    "sso-admin:ListAccountAssignments",
                    InstanceArn=instance["InstanceArn"],
                    PermissionSetArn=arn,
                    AccountId=account.id,
                )["AccountAssignments"]
                found |= {f"{names.get(r['PrincipalId'], r['PrincipalId'])}/{name}/{account.name}" for r in rows}
        return found

    def _people(self, instance: dict[str, Any], operation: str, member: str) -> list[dict[str, Any]]:
        got = self.by_hand(f"identitystore:{operation}", IdentityStoreId=instance["IdentityStoreId"])
        people: list[dict[str, Any]] = got[member]
        return people

    def assign_by_hand(self, user: str, permission_set: str, account: str) -> None:
        """Give a user access in the console, and wait until AWS has done it."""
        instance = self.by_hand("sso-admin:ListInstances")["Instances"][0]
        people = self._people(instance, "ListUsers", "Users")
        self.by_hand(
            "sso-admin:CreateAccountAssignment",
            InstanceArn=instance["InstanceArn"],
            PermissionSetArn=self.permission_set(permission_set)["arn"],
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PrincipalType="USER",
            PrincipalId=next(p["UserId"] for p in people if p["UserName"] == user),
        )
        self.clock.sleep(60)

    def controls_off(self, account: str, region: str) -> set[tuple[str, str]]:
        """(standard, control) of every control that is off in an account and Region."""
        id = next(a.id for a in self.sandbox.world.accounts.values() if a.name == account)
        on = self.by_hand("securityhub:GetEnabledStandards", account=id, region=region)["StandardsSubscriptions"]
        asked = [
            {"StandardsArn": one["StandardsArn"], "SecurityControlId": control}
            for one in on
            for control in sorted(control_ids(standard_of(one["StandardsArn"])))
        ]
        off = set()
        for start in range(0, len(asked), 100):
            answer = self.by_hand(
                "securityhub:BatchGetStandardsControlAssociations",
                account=id,
                region=region,
                StandardsControlAssociationIds=asked[start : start + 100],
            )
            off |= {
                (standard_of(one["StandardsArn"]), one["SecurityControlId"])
                for one in answer["StandardsControlAssociationDetails"]
                if one["AssociationStatus"] == "DISABLED"
            }
        return off

    def turn_standard_off_and_on(self, account: str, region: str, standard: str) -> None:
        on = self.by_hand("securityhub:GetEnabledStandards", account=account, region=region)["StandardsSubscriptions"]
        one = next(s for s in on if standard_of(s["StandardsArn"]) == standard)
        self.by_hand(
            "securityhub:BatchDisableStandards",
            account=account,
            region=region,
            StandardsSubscriptionArns=[one["StandardsSubscriptionArn"]],
        )
        self.clock.sleep(60)
        self.by_hand(
            "securityhub:BatchEnableStandards",
            account=account,
            region=region,
            StandardsSubscriptionRequests=[{"StandardsArn": one["StandardsArn"]}],
        )
        self.clock.sleep(60)
