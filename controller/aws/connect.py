"""Connecting: a look at who and where we are, and the two views of AWS from there."""

from __future__ import annotations

from typing import Any

from botocore.session import Session

from controller.aws.api import Here, Reader, Writer
from controller.aws.cluster import Cluster
from controller.aws.fan_out import FanOut, Threads
from controller.aws.known import Known
from controller.aws.transport import Observer, Transport
from controller.clock import Clock
from controller.config import Settings
from controller.errors import AwsError, CannotConnect
from controller.resources.base import Live


class Aws:
    """A connection to one organization."""

    def __init__(self, transport: Transport, here: Here, fan_out: FanOut) -> None:
        self.transport = transport
        self.here = here
        self._fan_out = fan_out

    def reader(self, known: Known | None = None) -> Reader:
        """A view that cannot write, for one cycle: what it reads once it remembers.

        Args:
            known: What is known already, and is not asked.
        """
        return Reader(self.transport, self.here, self._fan_out, known)

    def writer(self, live: Live) -> Writer:
        """A view that writes, for one apply of a plan made from `live`."""
        return Writer(self.transport, self.here, live)

    def close(self) -> None:
        self._fan_out.close()
        self.transport.close()


def connect(
    settings: Settings,
    clock: Clock,
    *,
    read_only: bool,
    observer: Observer | None = None,
    session: Session | None = None,
) -> Aws:
    """Look who the credentials are, and connect.

    Args:
        observer: Told of every attempt at every call; called from many threads.
        session: For tests: one that answers from the simulated organization.

    Raises:
        CannotConnect: No credentials, no organization, or a member account's credentials.
        AwsError: AWS cannot be asked.
    """
    transport = Transport(settings, clock, read_only=read_only, observer=observer, session=session)
    try:
        here = _look(transport, settings)
    except BaseException:
        transport.close()
        raise
    transport.management_account = here.management_account
    return Aws(transport, here, _fan_out(settings, here, clock, observer))


def _fan_out(settings: Settings, here: Here, clock: Clock, observer: Observer | None) -> FanOut:
    if settings.executor == "threads":
        return Threads(clock)
    address = settings.executor.replace("dask+tls://", "tls://").replace("dask://", "tcp://")
    return Cluster(address, settings, here, clock, observer or (lambda record: None))


def caller(transport: Transport) -> dict[str, Any]:
    """Whose credentials the transport's own are: GetCallerIdentity's answer."""
    return _ask(transport, "sts:GetCallerIdentity")


def _look(transport: Transport, settings: Settings) -> Here:
    identity = caller(transport)
    try:
        organization = _ask(transport, "organizations:DescribeOrganization")["Organization"]
    except AwsError as error:
        if error.code == "AWSOrganizationsNotInUseException":
            raise CannotConnect(
                f"Account {identity['Account']} ({identity['Arn']}) is in no organization. "
                "Use the credentials of an organization's management account."
            ) from error
        raise
    if identity["Account"] != organization["MasterAccountId"]:
        raise CannotConnect(
            f"These credentials ({identity['Arn']}) belong to account {identity['Account']}, a member of "
            f"{organization['Id']}. For now orgctl must run with credentials of its management account, "
            f"{organization['MasterAccountId']}: only that account may change the OU tree."
        )
    return Here(
        organization_id=organization["Id"],
        management_account=organization["MasterAccountId"],
        partition=identity["Arn"].split(":")[1],
        identity_center_region=settings.identity_center_region,
        instance=settings.instance,
        member_role=settings.member_role,
        caller=identity["Arn"],
    )


def _ask(transport: Transport, action: str) -> dict[str, Any]:
    return transport.call(action, {}, account=None, region=None, write=False, repeatable=True)
