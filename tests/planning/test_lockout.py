"""What a plan would lock out, judged on pictures of an organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from controller.config import BreakGlass
from controller.planning.lockout import Need, OrgPaths, Proof, Prover
from controller.planning.needs import Whereabouts, needs
from controller.policy.evaluate import statements
from controller.policy.organization import ALLOW_ALL, RCP, SCP, Attached
from controller.policy.picture import Picture
from controller.policy.request import Request
from controller.resources.base import Action, Change

HERE = Whereabouts(
    "o-a1b2c3d4e5",
    "100000000000",
    caller="arn:aws:iam::100000000000:role/orgctl",
    regions=("us-east-1", "eu-west-1"),
)
ALL = needs(HERE, "OrgctlMember", ["securityhub:GetFindings", "securityhub:UpdateStandardsControl"], None, ())


def policy(name: str, *bodies: Mapping[str, Any], kind: str = SCP) -> Attached:
    return Attached(kind, name, statements({"Statement": [{"Resource": "*", **body} for body in bodies]}))


FULL = Attached(SCP, "FullAWSAccess", statements(ALLOW_ALL))
DENY = policy("deny", {"Sid": "All", "Effect": "Deny", "Action": "*"})
UNREAD = Attached(SCP, "theirs", None, why="it was not read")


def exempting(pattern: str) -> Attached:
    condition = {"ArnNotLike": {"aws:PrincipalArn": pattern}}
    return policy("exempting", {"Effect": "Deny", "Action": "*", "Condition": condition})


def picture(attached: Mapping[str, Iterable[Attached]], accounts: Mapping[str, str] | None = None) -> Picture:
    """`attached`: target → policies; all SCPs but for those of another kind. `accounts`: id → OU below the root."""
    accounts = accounts if accounts is not None else {"111111111111": "/A"}
    places: dict[tuple[str, str], frozenset[str]] = {}
    policies = {}
    for target, ones in attached.items():
        for one in ones:
            policies[one.kind, one.name] = one
            places[one.kind, target] = places.get((one.kind, target), frozenset()) | {one.name}
    return Picture(
        ways={id: ("/", unit, id) for id, unit in accounts.items()},
        attached=places,
        policies=policies,
        listed=frozenset((kind, target) for target in attached for kind in (SCP, RCP)),
    )


def change(kind: str, key: str, action: Action) -> Change:
    return Change(kind, key, key, action, None, None)


def attach(name: str, target: str, action: Action = Action.CREATE, kind: str = SCP) -> Change:
    return change("policy_attachment", f"{kind}/{name}@{target}", action)


def prove(before: Picture, after: Picture, *changes: Change, needed: Iterable[Need] = ALL) -> Proof:
    return Prover(lambda: before, lambda *_: after, needed)(changes)


BEFORE = picture({"/": [FULL], "/A": [FULL], "111111111111": [FULL]})


def with_(target: str, *policies: Attached, of: Picture = BEFORE) -> Picture:
    added = picture({target: policies})
    attached = {place: of.attached.get(place, frozenset()) | names for place, names in added.attached.items()}
    return replace(of, attached={**of.attached, **attached}, policies={**of.policies, **added.policies})


@pytest.mark.parametrize(
    ("harmful", "lost"),
    [
        pytest.param(DENY, True, id="everything"),
        pytest.param(exempting("arn:aws:iam::*:role/OrgctlMember"), False, id="the role is exempt"),
        pytest.param(exempting("arn:aws:iam::111111111111:role/OrgctlMember"), False, id="exempt in this account"),
        pytest.param(exempting("arn:aws:iam::222222222222:role/OrgctlMember"), True, id="exempt in another one"),
        pytest.param(exempting("arn:aws:iam::*:role/*/OrgctlMember"), True, id="exempt by another path"),
        pytest.param(policy("p", {"Effect": "Deny", "Action": "securityhub:*"}), True, id="the service"),
        pytest.param(policy("p", {"Effect": "Allow", "Action": "*"}), False, id="one more allow"),
    ],
)
def test_a_new_deny(harmful: Attached, lost: bool) -> None:
    for target in ("/", "/A", "111111111111"):
        id = f"policy_attachment/{SCP}/{harmful.name}@{target}:create"
        proof = prove(BEFORE, with_(target, harmful), attach(harmful.name, target))
        assert set(proof.lost) == ({id} if lost else set())
        assert not proof.notes


def test_the_account_is_told_apart_only_where_it_matters() -> None:
    """Two accounts share a way; the policy exempts the role in one of them."""
    accounts = {"111111111111": "/A", "222222222222": "/A"}
    before = picture({"/": [FULL], "/A": [FULL]}, accounts)
    harmful = exempting("arn:aws:iam::111111111111:role/OrgctlMember")
    [why] = prove(before, with_("/A", harmful, of=before), attach("exempting", "/A")).lost.values()
    assert "222222222222" in why and "111111111111" not in why


def test_what_already_stands_on_the_way_is_not_new() -> None:
    before = with_("/", DENY)
    again = prove(before, with_("/A", replace(DENY, name="again"), of=before), attach("again", "/A"))
    assert again == Proof(), "the same statement, once more"
    other = policy("other", {"Effect": "Deny", "Action": "securityhub:*"})
    proof = prove(before, with_("/A", other, of=before), attach("other", "/A"))
    assert not proof.lost
    assert all("as before this plan" in note.text for note in proof.notes) and proof.notes


def test_a_deny_that_goes_from_below_to_above_is_new_for_those_it_did_not_reach() -> None:
    accounts = {"111111111111": "/A", "222222222222": "/B"}
    before = picture({"/": [FULL], "/A": [FULL, DENY], "/B": [FULL]}, accounts)
    after = picture({"/": [FULL, DENY], "/A": [FULL], "/B": [FULL]}, accounts)
    changes = attach("deny", "/"), attach("deny", "/A", Action.DELETE)
    [(id, why)] = prove(before, after, *changes).lost.items()
    assert id == f"policy_attachment/{SCP}/deny@/:create" and "222222222222" in why and "more" not in why.split(":")[0]


def test_an_edit_is_what_is_held_where_the_policy_was_attached_before() -> None:
    mild = policy("deny", {"Effect": "Deny", "Action": "organizations:*"})
    proof = prove(with_("/A", mild), with_("/A", DENY), change(SCP, "deny", Action.UPDATE))
    assert set(proof.lost) == {f"{SCP}/deny:update"}
    assert "'deny' on /A, statement 'All'" in proof.lost[f"{SCP}/deny:update"]


def test_a_level_that_loses_its_last_allow() -> None:
    after = replace(BEFORE, attached={**BEFORE.attached, (SCP, "/A"): frozenset()})
    gone = attach("FullAWSAccess", "/A", Action.DELETE)
    assert set(prove(BEFORE, after, gone).lost) == {gone.id}
    enough = policy("allow", {"Effect": "Allow", "Action": "securityhub:*"})
    assert prove(BEFORE, with_("/A", enough, of=after), gone, attach("allow", "/A")) == Proof()
    proof = prove(BEFORE, with_("/A", UNREAD, of=after), gone)
    assert not proof.lost and "the content of 'theirs': it was not read" in proof.notes[0].text


def test_a_move_is_judged_by_all_that_is_where_it_goes() -> None:
    def moved(there: list[Attached], **listed: Any) -> Proof:
        before = picture({"/": [FULL], "/A": [FULL], "/B": there})
        after = replace(before, ways={"111111111111": ("/", "/B", "111111111111")}, **listed)
        return prove(replace(before, **listed), after, change("account", "111111111111", Action.MOVE))

    assert moved([FULL]) == Proof()
    assert set(moved([FULL, DENY]).lost) == {"account/111111111111:move"}
    assert set(moved([DENY, FULL], listed=frozenset()).lost) == {"account/111111111111:move"}
    assert not moved([FULL, UNREAD]).lost and moved([FULL, UNREAD]).notes
    assert not moved([FULL], listed=frozenset()).lost and moved([FULL], listed=frozenset()).notes


def test_a_condition_that_cannot_be_judged_is_a_note_and_names_its_key() -> None:
    network = policy(
        "net", {"Effect": "Deny", "Action": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    )
    proof = prove(BEFORE, with_("/A", network), attach("net", "/A"))
    assert not proof.lost
    [note] = proof.notes
    assert "cannot tell" in note.text and "aws:SourceIp" in note.text and "and 3 more" in note.text


def test_resource_control_policies_guard_the_way_into_the_role() -> None:
    def attached(condition: dict[str, Any] | None = None) -> Proof:
        body = {"Effect": "Deny", "Principal": "*", "Action": "*", **({"Condition": condition} if condition else {})}
        return prove(BEFORE, with_("/A", policy("p", body, kind=RCP)), attach("p", "/A", kind=RCP))

    assert attached().lost
    assert not attached({"StringNotEquals": {"aws:PrincipalOrgID": HERE.organization_id}}).lost
    assert not attached({"ArnNotLike": {"aws:PrincipalArn": HERE.caller}}).lost
    assert attached({"StringEquals": {"aws:ResourceAccount": "111111111111"}}).lost
    assert attached({"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}}).lost


def test_break_glass_loses_a_call_only_when_it_is_denied_in_general() -> None:
    needed = needs(HERE, "OrgctlMember", [], (), [BreakGlass(permission_set="Rescue")])
    body = {"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:role/OrgctlMember"}
    assert prove(BEFORE, with_("/A", policy("p", body)), attach("p", "/A"), needed=needed) == Proof()
    body = {**body, "Resource": "arn:aws:iam::*:role/*"}
    [why] = prove(BEFORE, with_("/A", policy("p", body)), attach("p", "/A"), needed=needed).lost.values()
    assert "break-glass permission set 'Rescue'" in why and "AWSReservedSSO_Rescue_*" in why


def test_where_the_controller_calls_every_region_counts_and_elsewhere_one_is_enough() -> None:
    body = {"Effect": "Deny", "Action": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}
    game_day = with_("/A", policy("p", body))
    action = ["securityhub:GetFindings"]
    called = needs(HERE, "OrgctlMember", action, [("111111111111", "eu-west-1")], ())
    assert prove(BEFORE, game_day, attach("p", "/A"), needed=called).lost
    elsewhere = needs(HERE, "OrgctlMember", action, [("999999999999", "eu-west-1")], ())
    assert prove(BEFORE, game_day, attach("p", "/A"), needed=elsewhere) == Proof()
    assert prove(BEFORE, with_("/A", DENY), attach("deny", "/A"), needed=elsewhere).lost


def test_ten_thousand_accounts_are_judged_by_their_ways_and_not_one_by_one() -> None:
    accounts = {f"{number:012}": f"/{number % 300}" for number in range(10_000)}
    units = {f"/{number}": [FULL] for number in range(300)}
    before = picture({"/": [FULL], **units}, accounts)
    asked: list[str] = []

    def counted(need: Need) -> Need:
        def requests(account: str, paths: OrgPaths) -> tuple[Request, ...]:
            asked.append(account)
            return need.requests(account, paths)

        return replace(need, requests=requests)

    after = with_("/", exempting("arn:aws:iam::*:role/OrgctlMember"), of=before)
    assert prove(before, after, attach("exempting", "/"), needed=map(counted, ALL)) == Proof()
    assert len(asked) == sum(need.kind == SCP for need in ALL)
    [why] = prove(before, with_("/", DENY, of=before), attach("deny", "/")).lost.values()
    assert "and 9999 more" in why
