"""AWS does little at a time of what it does later: that little is used to the full, and asked after seldom."""

from __future__ import annotations

import pytest

from bench.windows import Figures, measure


@pytest.fixture(scope="module")
def given() -> Figures:
    """300 assignments in 60 accounts at AWS's published rates; AWS takes 3 s for each."""
    return measure("create", 300, 60)


def test_fifteen_assignments_are_under_way_and_never_more(given: Figures) -> None:
    assert given.most == 15
    assert given.mean > 15 / 1.2


def test_all_together_take_little_longer_than_they_must(given: Figures) -> None:
    assert given.ratio < 1.2


def test_one_look_is_for_many(given: Figures) -> None:
    assert given.calls["sso:CreateAccountAssignment"] == 300
    assert given.looks < 300 / 4
    assert "sso:DescribeAccountAssignmentCreationStatus" not in given.calls


def test_nothing_is_sent_that_aws_refuses(given: Figures) -> None:
    assert given.refused == {}


def test_deletions_fill_the_same_window() -> None:
    taken = measure("delete", 150, 30)
    assert taken.most == 15
    assert taken.ratio < 1.25


def test_where_aws_lists_the_oldest_first_each_is_asked_after_once_it_has_ended() -> None:
    """Among thousands the newest are then pages away."""
    found = measure("create", 180, 30, newest_first=False)
    assert found.ratio < 1.25
    assert found.calls["sso:DescribeAccountAssignmentCreationStatus"] < 180


def test_three_permission_sets_are_provisioned_at_a_time() -> None:
    edited = measure("provision", 12, 12, 8.0)
    assert edited.most == 3
    assert edited.ratio < 1.25
    assert edited.calls["sso:ProvisionPermissionSet"] == 12
    assert "sso:DescribePermissionSetProvisioningStatus" not in edited.calls
