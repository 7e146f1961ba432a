"""The sandbox's own surface: what was called, what goes wrong, and changes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox.client import SandboxClient, SandboxError
from controller.sandbox.sandbox import Sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[SandboxClient]:
    sandbox.world.add_unit("Workloads", sandbox.world.root_id)
    with sandbox:
        yield SandboxClient(sandbox.url)


def test_calls_are_counted_and_reset(control: SandboxClient, organizations: Any) -> None:
    organizations.list_roots()
    organizations.list_roots()

    assert control.calls(reset=True) == {"organizations:ListRoots": 2}
    assert control.calls() == {}


def test_the_last_calls_can_be_seen_singly(control: SandboxClient, organizations: Any, sandbox: Sandbox) -> None:
    organizations.list_roots()
    organizations.create_organizational_unit(ParentId=sandbox.world.root_id, Name="A")

    (last,) = control.get("calls", log=1)["log"]

    assert last["operation"] == "organizations:CreateOrganizationalUnit"
    assert last["parameters"] == {"ParentId": sandbox.world.root_id, "Name": "A"}


def test_anything_can_be_done_by_hand_and_is_not_counted(
    control: SandboxClient, organizations: Any, sandbox: Sandbox
) -> None:
    sandbox.rates.set(1)
    sandbox.faults.add(operation="*", kind="internal")

    made = control.call("organizations", "CreateOrganizationalUnit", {"ParentId": sandbox.world.root_id, "Name": "A"})

    assert made["OrganizationalUnit"]["Name"] == "A"
    assert control.calls() == {}


def test_a_change_by_hand_is_refused_as_aws_would(control: SandboxClient, sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        control.call(
            "organizations", "DetachPolicy", {"PolicyId": "p-FullAWSAccess", "TargetId": sandbox.world.root_id}
        )


def test_faults_latency_delays_rates_and_permissions_are_set(control: SandboxClient, sandbox: Sandbox) -> None:
    control.fault("organizations:*", "throttle", count=3)
    assert control.get("faults")["faults"][0]["count"] == 3
    control.clear_faults()
    assert control.get("faults") == {"faults": []}
    assert control.post("latency", **{"*": 0.04}) == {"latency": {"*": 0.04}}
    assert control.post("delays", CreateAccount=5)["delays"]["CreateAccount"] == 5
    assert control.post("rates", multiple=20) == {"multiple": 20}
    assert control.post("rates", multiple=0) == {"multiple": None}
    assert control.post("permissions", orgctl=[{"Statement": []}]) == {"enforced": ["orgctl"]}


def test_time_that_is_virtual_is_advanced(control: SandboxClient, sandbox: Sandbox) -> None:
    before = sandbox.world.clock.now()

    control.post("clock", advance=90)

    assert sandbox.world.clock.now() == before + 90


def test_real_time_is_not(sandbox: Sandbox) -> None:
    with Sandbox.create() as real, pytest.raises(SandboxError, match="real time"):
        SandboxClient(real.url).post("clock", advance=90)


def test_the_state_is_told_by_names(control: SandboxClient, sandbox: Sandbox) -> None:
    found = control.get("state")

    assert set(found["units"]) == {"/", "/Workloads"}
    assert found["accounts"][sandbox.world.management_account]["unit"] == "/"
    assert found["policies"]["p-FullAWSAccess"]["targets"] == ["/", "management", "/Workloads"]


def test_a_reset_goes_back_to_how_it_was_started(control: SandboxClient, sandbox: Sandbox, organizations: Any) -> None:
    before = control.get("state")
    control.call("organizations", "CreateOrganizationalUnit", {"ParentId": sandbox.world.root_id, "Name": "A"})
    control.call("organizations", "CreateAccount", {"AccountName": "a", "Email": "a@example.com"})
    control.fault("*", "internal")

    control.post("reset")

    assert control.get("state") == before
    assert organizations.list_accounts()["Accounts"][0]["Id"] == sandbox.world.management_account


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("nothing", {}, "There is no POST /_sandbox/nothing. There are: GET /_sandbox/calls"),
        ("faults", {"operation": "*", "kind": "explode"}, "'explode' is no kind of fault"),
        ("faults", {"operation": "*", "sort": "reset"}, "unexpected keyword argument 'sort'"),
        ("call", {"service": "organizations"}, "operation"),
        ("call", {"service": "sqs", "operation": "ListQueues"}, "sqs"),
    ],
)
def test_what_cannot_be_done_is_said(control: SandboxClient, path: str, body: dict[str, Any], message: str) -> None:
    with pytest.raises(SandboxError) as error:
        control.post(path, **body)

    assert message in str(error.value)
