"""Security Hub CSPM's standards and controls, and how their ARNs are made.

`security_hub.csv` holds one row per control in active use: id, title, severity, standards and customizable parameters
(Security Hub User Guide, "Control reference for Security Hub CSPM", September 2026). AWS adds and retires controls all
the time: what the file does not know is doubtful, not wrong.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

CIS_1_2_0 = "cis-aws-foundations-benchmark/v/1.2.0"
"""The only standard whose ARN names no Region, and that AWS calls a ruleset (Security Hub User Guide, "CIS AWS
Foundations Benchmark")."""


_ARN = re.compile(r"^arn:[^:]*:securityhub:[^:]*:[^:]*:(standards|ruleset|subscription)/")


@dataclass(frozen=True, slots=True)
class Standard:
    """One standard. `name` is the short form users write (``pci-dss/v/3.2.1``); `by_default`: AWS turns it on with the
    hub unless told otherwise (Security Hub API reference, EnableSecurityHub)."""

    name: str
    title: str
    by_default: bool = False

    def arn(self, partition: str, region: str) -> str:
        """Its ARN in a Region."""
        return standard_arn(partition, region, self.name)


@dataclass(frozen=True, slots=True)
class Control:
    """One control. `severity`: CRITICAL, HIGH, MEDIUM or LOW. `standards`: short forms. `parameters`: those that take
    custom values."""

    id: str
    title: str
    severity: str
    standards: frozenset[str]
    parameters: tuple[str, ...]


STANDARDS: Mapping[str, Standard] = MappingProxyType(
    {
        standard.name: standard
        for standard in (
            Standard(
                "aws-foundational-security-best-practices/v/1.0.0",
                "AWS Foundational Security Best Practices v1.0.0",
                by_default=True,
            ),
            Standard("aws-resource-tagging-standard/v/1.0.0", "AWS Resource Tagging Standard v1.0.0"),
            Standard(CIS_1_2_0, "CIS AWS Foundations Benchmark v1.2.0", by_default=True),
            Standard("cis-aws-foundations-benchmark/v/1.4.0", "CIS AWS Foundations Benchmark v1.4.0"),
            Standard("cis-aws-foundations-benchmark/v/3.0.0", "CIS AWS Foundations Benchmark v3.0.0"),
            Standard("cis-aws-foundations-benchmark/v/5.0.0", "CIS AWS Foundations Benchmark v5.0.0"),
            Standard("nist-800-171/v/2.0.0", "NIST Special Publication 800-171 Revision 2"),
            Standard("nist-800-53/v/5.0.0", "NIST Special Publication 800-53 Revision 5"),
            Standard("pci-dss/v/3.2.1", "PCI DSS v3.2.1"),
            Standard("pci-dss/v/4.0.1", "PCI DSS v4.0.1"),
        )
    }
)
"""short form → standard, in the order AWS's own lists are sorted."""


def standard_arn(partition: str, region: str, standard: str) -> str:
    """The ARN of a standard given in short form, in a Region; also of one the catalogue does not know."""
    if standard == CIS_1_2_0:
        return f"arn:{partition}:securityhub:::ruleset/{standard}"
    return f"arn:{partition}:securityhub:{region}::standards/{standard}"


def standard_of(arn: str) -> str:
    """The short form of a standard's ARN or of a subscription's; a short form is returned as it is.

    ``arn:aws:securityhub:eu-west-1:111122223333:subscription/pci-dss/v/3.2.1`` → ``pci-dss/v/3.2.1``
    """
    return _ARN.sub("", arn) if arn.startswith("arn:") else arn


def is_service_managed(standard: str) -> bool:
    """Whether another AWS service owns the standard (``service-managed-aws-control-tower/…``): not ours to touch."""
    return standard_of(standard).startswith("service-managed-")


@cache
def controls(standard: str) -> tuple[Control, ...]:
    """The controls of a standard given in short form, in the catalogue's order; none where it is unknown."""
    return tuple(control for control in CONTROLS.values() if standard in control.standards)


@cache
def control_ids(standard: str) -> frozenset[str]:
    """The ids of a standard's controls."""
    return frozenset(control.id for control in controls(standard))


def _load() -> Mapping[str, Control]:
    text = files("controller.catalogue").joinpath("security_hub.csv").read_text("utf-8")
    return MappingProxyType({control.id: control for control in map(_control, csv.DictReader(text.splitlines()))})


def _control(row: Mapping[str, str]) -> Control:
    return Control(
        id=row["control_id"],
        title=row["title"],
        severity=row["severity"],
        standards=frozenset(_split(row["standards"])),
        parameters=tuple(_split(row["parameters"])),
    )


def _split(text: str) -> Iterable[str]:
    return filter(None, text.split(";"))


CONTROLS: Mapping[str, Control] = _load()
"""control id → control, spelt as AWS spells it (`Autoscaling.5`)."""
