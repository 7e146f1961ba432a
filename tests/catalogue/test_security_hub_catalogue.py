"""The shipped catalogue of Security Hub's standards and controls."""

import pytest

from controller.catalogue.security_hub import (
    CONTROLS,
    STANDARDS,
    control_ids,
    controls,
    is_service_managed,
    standard_arn,
    standard_of,
)


def test_the_catalogue_knows_589_controls_and_ten_standards() -> None:
    assert len(CONTROLS) == 589
    assert len(STANDARDS) == 10


def test_every_standard_of_a_control_is_one_of_the_ten_and_none_is_empty() -> None:
    assert {standard for control in CONTROLS.values() for standard in control.standards} == set(STANDARDS)


def test_a_standard_gives_its_own_controls_and_no_others() -> None:
    assert len(controls("pci-dss/v/3.2.1")) == 44
    assert "AutoScaling.1" in control_ids("pci-dss/v/3.2.1")
    assert "ACM.1" not in control_ids("pci-dss/v/3.2.1")
    assert controls("no-such-standard/v/1.0.0") == ()


@pytest.mark.parametrize("standard", STANDARDS)
def test_an_arn_and_a_short_form_name_the_same_standard(standard: str) -> None:
    assert standard_of(standard_arn("aws", "eu-west-1", standard)) == standard
    assert standard_of(f"arn:aws:securityhub:eu-west-1:111122223333:subscription/{standard}") == standard
    assert standard_of(standard) == standard


def test_cis_1_2_0_alone_has_an_arn_without_a_region() -> None:
    regional = {name for name in STANDARDS if "eu-west-1" in standard_arn("aws", "eu-west-1", name)}
    assert set(STANDARDS) - regional == {"cis-aws-foundations-benchmark/v/1.2.0"}


def test_a_service_managed_standard_is_recognised_by_name_and_by_arn() -> None:
    control_tower = "service-managed-aws-control-tower/v/1.0.0"
    assert is_service_managed(control_tower)
    assert is_service_managed(standard_arn("aws", "eu-west-1", control_tower))
    assert not is_service_managed("pci-dss/v/3.2.1")
