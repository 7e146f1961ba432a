"""Organizations: the tree."""

from __future__ import annotations

from tests.contract.aws import Aws, refusal


def test_a_name_is_used_once_in_one_parent(aws: Aws) -> None:
    """Organizations API reference, CreateOrganizationalUnit: DuplicateOrganizationalUnitException."""
    workloads = aws.unit("Workloads")
    aws.unit("Workloads", workloads)

    answer = refusal(aws.organizations.create_organizational_unit, ParentId=aws.root, Name="Workloads")
    assert answer == "DuplicateOrganizationalUnitException"


def test_a_parent_must_exist(aws: Aws) -> None:
    """Organizations API reference, CreateOrganizationalUnit: ParentNotFoundException."""
    answer = refusal(aws.organizations.create_organizational_unit, ParentId="ou-none-00000000", Name="A")
    assert answer == "ParentNotFoundException"


def test_ous_go_five_deep(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": OU maximum nesting; API reference,
    ConstraintViolationException."""
    parent = aws.root
    for level in range(5):
        parent = aws.unit(str(level), parent)

    answer = refusal(aws.organizations.create_organizational_unit, ParentId=parent, Name="6")
    assert answer == "ConstraintViolationException OU_DEPTH_LIMIT_EXCEEDED"


def test_a_name_used_elsewhere_in_the_tree_is_free_for_renaming(aws: Aws) -> None:
    """Organizations API reference, UpdateOrganizationalUnit: DuplicateOrganizationalUnitException among siblings."""
    a, b = aws.unit("A"), aws.unit("B")
    aws.unit("Prod", a)
    other = aws.unit("Dev", b)

    renamed = aws.organizations.update_organizational_unit(OrganizationalUnitId=other, Name="Prod")

    assert renamed["OrganizationalUnit"]["Name"] == "Prod"
    answer = refusal(aws.organizations.update_organizational_unit, OrganizationalUnitId=b, Name="A")
    assert answer == "DuplicateOrganizationalUnitException"


def test_only_an_empty_ou_is_deleted(aws: Aws) -> None:
    """Organizations API reference, DeleteOrganizationalUnit: OrganizationalUnitNotEmptyException."""
    workloads, id = aws.unit("Workloads"), aws.member()
    aws.organizations.move_account(AccountId=id, SourceParentId=aws.root, DestinationParentId=workloads)

    answer = refusal(aws.organizations.delete_organizational_unit, OrganizationalUnitId=workloads)
    assert answer == "OrganizationalUnitNotEmptyException"
    assert aws.organizations.list_parents(ChildId=id)["Parents"][0]["Id"] == workloads
    aws.organizations.move_account(AccountId=id, SourceParentId=workloads, DestinationParentId=aws.root)
    aws.organizations.delete_organizational_unit(OrganizationalUnitId=workloads)
    assert aws.organizations.list_organizational_units_for_parent(ParentId=aws.root)["OrganizationalUnits"] == []
