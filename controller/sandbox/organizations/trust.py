"""Trusted service access and delegated administrators."""

from __future__ import annotations

import re
from typing import Any

from controller.sandbox.organizations.base import PAGE, constraint, invalid
from controller.sandbox.organizations.handshakes import Handshakes
from controller.sandbox.organizations.policies import SERVICE_OF
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused

PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
ONE_ADMINISTRATOR = {
    "sso.amazonaws.com",
    "securityhub.amazonaws.com",
    "guardduty.amazonaws.com",
    "detective.amazonaws.com",
}
"""Services that have a single delegated administrator (their own user guides)."""


class Trust(Handshakes):
    def enable_aws_service_access(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        self.world.trusted_services.setdefault(self._principal(request["ServicePrincipal"]), self.world.clock.now())
        return {}

    def disable_aws_service_access(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """The service's delegated administrators go with it."""
        principal = self._principal(request["ServicePrincipal"])
        on = [type for type, service in SERVICE_OF.items() if service == principal and self._is_on(type)]
        if on and self.world.rule("service-access-and-types"):
            message = f"You attempted to disable service access before you disabled the policy type {on[0]}."
            raise constraint("POLICY_TYPE_ENABLED_FOR_THIS_SERVICE", message)
        self.world.trusted_services.pop(principal, None)
        self.world.delegated.pop(principal, None)
        return {}

    def list_aws_service_access_for_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        chunk, more = page(self.world, list(self.world.trusted_services.items()), request, size=PAGE)
        shapes = [{"ServicePrincipal": principal, "DateEnabled": since} for principal, since in chunk]
        return {"EnabledServicePrincipals": shapes, **more}

    def register_delegated_administrator(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        account = self.account(request["AccountId"])
        principal = self._principal(request["ServicePrincipal"])
        if account.id == world.management_account:
            message = "You can't register the management account as a delegated administrator."
            raise constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", message)
        if account.state != "ACTIVE":
            message = "You can't register a suspended account as a delegated administrator."
            raise constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", message)
        if principal not in world.trusted_services and world.rule("service-access-first"):
            message = "You attempted to register a delegated administrator before you enabled service access."
            raise constraint("SERVICE_ACCESS_NOT_ENABLED", message)
        administrators = world.delegated.setdefault(principal, {})
        if account.id in administrators:
            message = "The specified account is already a delegated administrator for this AWS service."
            raise Refused("AccountAlreadyRegisteredException", message)
        if administrators and principal in ONE_ADMINISTRATOR and world.rule("one-administrator"):
            message = "This service already has a delegated administrator."
            raise constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", message)
        administrators[account.id] = world.clock.now()
        return {}

    def deregister_delegated_administrator(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self.account(request["AccountId"])
        principal = self._principal(request["ServicePrincipal"])
        if self.world.delegated.get(principal, {}).pop(account.id, None) is None:
            raise _not_registered()
        return {}

    def list_delegated_administrators(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        principal = request.get("ServicePrincipal")
        since: dict[str, float] = {}
        for service, administrators in self.world.delegated.items():
            if principal in (None, service):
                for id, when in administrators.items():
                    since[id] = min(when, since.get(id, when))
        chunk, more = page(self.world, list(since.items()), request, size=PAGE)
        shapes = [{**self.account_shape(self.account(id)), "DelegationEnabledDate": when} for id, when in chunk]
        for shape in shapes:
            del shape["Paths"]  # the one member of an account that a DelegatedAdministrator lacks
        return {"DelegatedAdministrators": shapes, **more}

    def list_delegated_services_for_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        id = self.account(request["AccountId"]).id
        services = [(service, when[id]) for service, when in self.world.delegated.items() if id in when]
        if not services:
            raise _not_registered()
        chunk, more = page(self.world, services, request, size=PAGE)
        shapes = [{"ServicePrincipal": service, "DelegationEnabledDate": when} for service, when in chunk]
        return {"DelegatedServices": shapes, **more}

    def _is_on(self, type: str) -> bool:
        return self.world.policy_type_status(type) is not None

    def _principal(self, text: str) -> str:
        if not PRINCIPAL.fullmatch(text):
            raise invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal.")
        return text


def _not_registered() -> Refused:
    message = "The specified account is not a delegated administrator for this AWS service."
    return Refused("AccountNotRegisteredException", message)
