"""AWS Organizations, simulated: one mixin for each of its nouns, over one base of look-ups and shapes."""

from controller.sandbox.organizations.policies import Policies
from controller.sandbox.organizations.tags import Tags
from controller.sandbox.organizations.trust import Trust

__all__ = ["Organizations"]


class Organizations(Policies, Trust, Tags):
    """The whole service. Limits and answers: Organizations User Guide, "Quotas"; API reference; botocore's model."""
