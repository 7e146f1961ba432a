"""The AWS services that the sandbox simulates itself. One line each; all others are moto's."""

from __future__ import annotations

from controller.sandbox.account import Account
from controller.sandbox.identity_center import IdentityCenter
from controller.sandbox.identity_store import IdentityStore
from controller.sandbox.organizations import Organizations
from controller.sandbox.security_hub import SecurityHub
from controller.sandbox.sts import Sts
from controller.sandbox.tagging import Tagging
from controller.sandbox.world import Service

SERVICES: tuple[type[Service], ...] = (
    Organizations,
    Account,
    Sts,
    Tagging,
    IdentityCenter,
    IdentityStore,
    SecurityHub,
)
