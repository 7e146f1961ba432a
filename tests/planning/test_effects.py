"""What a plan does to people where not everything is known, or much happens at once."""

from __future__ import annotations

from typing import Any

from controller.planning.effects import effects
from controller.planning.plan import Plan
from controller.planning.scene import Scene, Spot
from controller.resources.account import Account
from controller.resources.base import Action, Change, Ref
from controller.resources.policy_attachment import PolicyAttachment
from controller.resources.policy_type import PolicyType

SCP = "service_control_policy"
ONE, TWO = Ref(SCP, "one"), Ref(SCP, "two")


def attachment(policy: Ref, target: str, action: Action = Action.CREATE, **more: Any) -> Change:
    key = f"{policy}@{target}"
    found = PolicyAttachment(key=key, name=key, policy_kind=policy.kind, policy=policy.key, target=target)
    gone = action is Action.DELETE
    return Change("policy_attachment", key, key, action, found if gone else None, None if gone else found, **more)


def move(account: str, old: str, new: str) -> Change:
    before, after = (Account(key=account, name=account, unit=unit) for unit in (old, new))
    return Change("account", account, account, Action.MOVE, before, after)


def denying(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}


def plan(*changes: Change, **scene: Any) -> Plan:
    return Plan("o-abcdefghij", None, changes, {}, scene=Scene(**scene))


def test_a_policy_that_was_not_read_is_said_to_be_unknown_and_not_to_deny_nothing() -> None:
    (place,) = effects(plan(attachment(ONE, "/A"))).places

    (turn,) = place.turns
    assert (turn.gained, turn.rules, turn.why) == (True, (), "what it says was not read")


def test_a_policy_that_goes_up_the_tree_denies_nothing_new_where_it_was() -> None:
    made = effects(
        plan(
            attachment(ONE, "/"),
            attachment(ONE, "/A", Action.DELETE),
            attached={"/A": frozenset({ONE})},
            contents={ONE: denying("s3:*")},
        )
    )

    told = {place.target: [(turn.gained, len(turn.rules), turn.why) for turn in place.turns] for place in made.places}
    assert told == {"/": [(True, 1, "")], "/A": [(False, 0, "the same is denied there without it")]}


def test_a_policy_type_that_goes_off_takes_all_its_policies_off() -> None:
    off = PolicyType(key="service_control", name="service_control", status="ENABLED")
    made = effects(
        plan(
            Change("policy_type", off.key, off.name, Action.DELETE, off, None),
            attached={"/A": frozenset({ONE}), "/B": frozenset({TWO, Ref("tag_policy", "t")})},
            contents={ONE: denying("s3:*"), TWO: denying("ec2:*")},
        )
    )

    assert [(place.target, [turn.policy for turn in place.turns]) for place in made.places] == [
        ("/A", [ONE]),
        ("/B", [TWO]),
    ]


def test_an_account_that_moves_below_where_it_was_keeps_what_is_above() -> None:
    (moved,) = effects(
        plan(
            move("1", "/A", "/A/X"),
            accounts={"1": Spot("shop", "/A")},
            attached={"/A": frozenset({ONE}), "/A/X": frozenset({TWO})},
            contents={ONE: denying("s3:*"), TWO: denying("s3:*")},
        )
    ).moved

    (turn,) = moved.turns
    assert (turn.policy, turn.gained, turn.why) == (TWO, True, "the same is denied there without it")


def test_accounts_that_move_the_same_way_are_told_together() -> None:
    accounts = {str(n): Spot(f"shop-{n}", "/A") for n in range(3)}
    moves = [move("0", "/A", "/B"), move("1", "/A", "/B"), move("2", "/A", "/C")]

    found = effects(plan(*moves, accounts=accounts)).moved

    assert [(one.after, one.accounts) for one in found] == [("/B", ("0", "1")), ("/C", ("2",))]
