"""AWS Organizations, simulated: one mixin for each of its nouns, over one base of look-ups and shapes."""

from controller.sandbox.organizations.delegation import Delegation
from controller.sandbox.organizations.effective import Effective
from controller.sandbox.organizations.tags import Tags
from controller.sandbox.organizations.trust import Trust

__all__ = ["Organizations"]


class Organizations(Effective, Trust, Delegation, Tags):
    """The whole service. Limits and answers: Organizations User Guide, "Quotas"; API reference; botocore's model."""
