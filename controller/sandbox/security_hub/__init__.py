"""The simulated Security Hub CSPM, per account × Region: hubs, standards, controls, administration."""

from controller.sandbox.security_hub.central import Central
from controller.sandbox.security_hub.controls import Controls
from controller.sandbox.security_hub.hub import Hubs
from controller.sandbox.security_hub.standards import Standards

__all__ = ["SecurityHub"]


class SecurityHub(Central, Controls, Standards, Hubs):
    """All operations of the service that are simulated. What AWS does later is looked at when somebody asks."""
