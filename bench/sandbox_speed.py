"""How fast the sandbox is: seconds and memory to seed it, reads a second over HTTP, and its CPU for each.

    .venv/bin/python -m bench.sandbox_speed                     # 10,000 accounts seeded; 3,000 read
    .venv/bin/python -m bench.sandbox_speed --accounts 300 --calls 400 --json speed.json

The server is a process of its own on one core; the client, on another, sends requests that were signed before over
sockets that stay open, so that it is not what is measured. CPU seconds are the server's own: they say more than the
wall clock where the machine has other work.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.estates import Size, write
from controller.catalogue.security_hub import controls, standard_arn
from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import Assignment, access
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import Disabled, Hub, hubs
from controller.sandbox.seed import seeded
from controller.sandbox.wire import SIGNING_NAMES

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")
FSBP = "aws-foundational-security-best-practices/v/1.0.0"
CORES = sorted(os.sched_getaffinity(0))


def populated(accounts: int) -> Sandbox:
    """An organization of `accounts` in 200 OUs, with a policy on each OU, three assignments an account, and in each of
    four Regions Security Hub with a standard and five controls off."""
    sandbox = Sandbox.create()
    world, store, center, state = sandbox.world, directory(sandbox.world), access(sandbox.world), hubs(sandbox.world)
    now = world.clock.now()
    units = [world.add_unit(f"u{number}", world.root_id).id for number in range(200)]
    for number, unit in enumerate(units):
        content = json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "x", "Resource": "*"}]}
        )
        world.attach(world.add_policy(f"p{number}", "SERVICE_CONTROL_POLICY", content).id, unit)
    sets = [center.add(world, f"Set{number}").arn for number in range(20)]
    groups = [store.add_group(world, f"group-{number}").id for number in range(100)]
    off = [control.id for control in controls(FSBP)[:5]]
    for number in range(accounts):
        tags = {"env": "prod", "owner": f"team-{number % 50}"}
        account = world.add_account(
            f"a{number}", f"a{number}@example.com", units[number % 200], tags=tags, roles={"orgctl-member"}
        )
        for step in range(3):
            group = groups[(number + step) % 100]
            center.assign(Assignment(account.id, sets[(number + step) % 20], "GROUP", group))
        for region in REGIONS:
            hub = state.hubs[account.id, region] = Hub(now)
            hub.enable(FSBP, now, now)
            for control in off:
                hub.disabled[FSBP, control] = Disabled("Ours", now)
    return sandbox


class Signer:
    """Requests as bytes, signed by an account's own key."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._core = botocore.session.get_session()
        self._core.set_credentials("test", "x")
        self._clients: dict[tuple[str, str], Any] = {}

    def __call__(
        self, service: str, operation: str, account: str, region: str = "us-east-1", **parameters: Any
    ) -> bytes:
        client = self._client(service, region)
        model = client.meta.service_model.operation_model(operation)
        built = client._convert_to_request_dict(parameters, model, endpoint_url=self._url, context={})
        signing = {name: key for key, name in SIGNING_NAMES.items()}[service]
        url = self._url + built["url_path"] + (f"?{_query(built)}" if built["query_string"] else "")
        request = AWSRequest(built["method"], url, built["headers"], built["body"])
        SigV4Auth(Credentials(account, "x"), signing, region).add_auth(request)
        sent = request.prepare()
        path = sent.url.removeprefix(self._url)
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        headers = {
            **{name: _text(value) for name, value in sent.headers.items()},
            "Host": self._url.removeprefix("http://"),
            "Accept-Encoding": "identity",
            "Content-Length": str(len(body)),
        }
        lines = [f"{sent.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self._core.create_client(service, region, endpoint_url=self._url)
        return self._clients[service, region]


def _query(built: dict[str, Any]) -> str:
    return urlencode(built["query_string"])


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def reads(sandbox_state: dict[str, Any], sign: Signer) -> Iterator[tuple[str, bytes]]:
    """(operation, request), the eight in turn, of other accounts each time."""
    management, accounts = sandbox_state["management"], sandbox_state["accounts"]
    policies, center, sets = sandbox_state["policies"], sandbox_state["instance"], sandbox_state["sets"]
    fsbp_controls = [control.id for control in controls(FSBP)[:50]]
    for number, account in enumerate(cycle(accounts)):
        region = REGIONS[number % 4]
        pairs = [{"SecurityControlId": id, "StandardsArn": standard_arn("aws", region, FSBP)} for id in fsbp_controls]
        policy, arn = policies[number % len(policies)], sets[number % len(sets)]
        token = sandbox_state["tokens"][number % len(sandbox_state["tokens"])]
        page = {"NextToken": token} if token else {}
        yield "ListAccounts", sign("organizations", "ListAccounts", management, **page)
        yield "DescribeAccount", sign("organizations", "DescribeAccount", management, AccountId=account)
        yield "ListTargetsForPolicy", sign("organizations", "ListTargetsForPolicy", management, PolicyId=policy)
        yield "DescribePolicy", sign("organizations", "DescribePolicy", management, PolicyId=policy)
        yield (
            "ListAccountAssignments",
            sign(
                "sso-admin",
                "ListAccountAssignments",
                management,
                InstanceArn=center,
                AccountId=account,
                PermissionSetArn=arn,
            ),
        )
        yield "DescribeHub", sign("securityhub", "DescribeHub", account, region)
        yield "GetEnabledStandards", sign("securityhub", "GetEnabledStandards", account, region)
        yield (
            "BatchGetStandardsControlAssociations",
            sign(
                "securityhub",
                "BatchGetStandardsControlAssociations",
                account,
                region,
                StandardsControlAssociationIds=pairs,
            ),
        )


def known(sandbox: Sandbox) -> dict[str, Any]:
    """What a client needs to ask for things: ids, ARNs, and page tokens of ListAccounts."""
    world, center = sandbox.world, access(sandbox.world)
    tokens: list[str] = [""]
    while len(tokens) < 200:
        answer = sandbox.call("organizations", "ListAccounts", {"NextToken": tokens[-1]} if tokens[-1] else {})
        if "NextToken" not in answer:
            break
        tokens.append(answer["NextToken"])
    return {
        "management": world.management_account,
        "accounts": [id for id in world.accounts if id != world.management_account],
        "policies": [policy.id for policy in world.policies.values() if not policy.aws_managed],
        "instance": center.instance_arn("aws"),
        "sets": list(center.permission_sets),
        "tokens": tokens,
    }


def serve(accounts: int) -> None:
    """The server's process: says what it holds, then answers ``cpu`` on its standard input with its CPU seconds."""
    sandbox = populated(accounts)
    os.sched_setaffinity(0, CORES[:1])
    with sandbox:
        print(json.dumps({"url": sandbox.url, **known(sandbox)}), flush=True)
        for _ in sys.stdin:
            print(time.process_time(), flush=True)


class Connection:
    """One socket that stays open."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""

    def send(self, request: bytes) -> int:
        """The answer's status; all of it has been read."""
        self._socket.sendall(request)
        got = self._left
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        at = got.lower().index(b"content-length:") + 15
        whole = end + 4 + int(got[at : got.index(b"\r\n", at)])
        while len(got) < whole:
            got += self._more()
        self._left = got[whole:]
        return int(got[9:12])

    def _more(self) -> bytes:
        found = self._socket.recv(262_144)
        assert found, "the sandbox closed the connection"
        return found

    def close(self) -> None:
        self._socket.close()


def send_all(url: str, requests: list[bytes], connections: int) -> float:
    """Wall seconds that it takes to have all `requests` answered over so many connections."""
    open = [Connection(url) for _ in range(connections)]

    def work(connection: Connection, share: Iterable[bytes]) -> None:
        for request in share:
            status = connection.send(request)
            assert status == 200, f"HTTP {status} for {request[:2000]!r}"

    threads = [
        threading.Thread(target=work, args=(each, requests[number::connections])) for number, each in enumerate(open)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for each in open:
        each.close()
    return seconds


def read_speed(accounts: int, calls: int, connections: int) -> dict[str, Any]:
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.sandbox_speed", "--serve", str(accounts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        state = json.loads(server.stdout.readline())
        if len(CORES) > 1:
            os.sched_setaffinity(0, CORES[1:])

        def cpu() -> float:
            assert server.stdin is not None
            assert server.stdout is not None
            print(file=server.stdin, flush=True)
            return float(server.stdout.readline())

        made = list(islice(reads(state, Signer(state["url"])), calls - calls % 8))
        send_all(state["url"], [request for _, request in made[:80]], connections)
        singly = {}
        for operation in dict.fromkeys(name for name, _ in made):
            requests = [request for name, request in made if name == operation]
            before = cpu()
            send_all(state["url"], requests, connections)
            singly[operation] = (cpu() - before) / len(requests) * 1000
        before = cpu()
        wall = send_all(state["url"], [request for _, request in made], connections)
        seconds = cpu() - before
    finally:
        server.stdin.close()
        server.wait()
    return {
        "accounts": accounts,
        "calls": len(made),
        "connections": connections,
        "wall_seconds": wall,
        "reads_per_second": len(made) / wall,
        "server_cpu_seconds": seconds,
        "reads_per_cpu_second": len(made) / seconds,
        "cpu_ms_by_operation": singly,
    }


def seed_speed(accounts: int) -> dict[str, Any]:
    """In a process of its own, so that memory is the seed's."""
    place = [sys.executable, "-m", "bench.sandbox_speed", "--seed-only", str(accounts)]
    result: dict[str, Any] = json.loads(subprocess.run(place, check=True, capture_output=True, text=True).stdout)
    return result


def seed_here(accounts: int) -> dict[str, Any]:
    """Read YAML for so many accounts × four Regions and write it into a world, as ``orgctl sandbox --seed`` does."""
    size = Size(accounts, units=200, policies=100, attachments=200, permission_sets=20, groups=100)
    with tempfile.TemporaryDirectory() as place:
        seed = write(size, Path(place), regions=REGIONS)
        wall, cpu = time.perf_counter(), time.process_time()
        sandbox = seeded(seed)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "accounts": len(sandbox.world.accounts),
        "hubs": len(hubs(sandbox.world).hubs),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeded", type=int, default=10_000, help="accounts to seed; 0: do not")
    parser.add_argument("--accounts", type=int, default=3_000, help="accounts to read")
    parser.add_argument("--calls", type=int, default=8_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seed-only", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        return serve(chosen.serve)
    if chosen.seed_only:
        print(json.dumps(seed_here(chosen.seed_only)))
        return None
    figures: dict[str, Any] = {}
    if chosen.seeded:
        seed = figures["seed"] = seed_speed(chosen.seeded)
        print(f"seed   {seed['accounts']} accounts, {seed['hubs']} hubs: {seed['wall_seconds']:.1f} s, "
              f"{seed['cpu_seconds']:.1f} s CPU, {seed['peak_mib']:.0f} MiB")  # fmt: skip
    read = figures["read"] = read_speed(chosen.accounts, chosen.calls, chosen.connections)
    for operation, milliseconds in read["cpu_ms_by_operation"].items():
        print(f"read   {milliseconds:6.3f} ms CPU  {operation}")
    print(f"read   {read['calls']} calls, {read['accounts']} accounts, {read['connections']} connections: "
          f"{read['reads_per_second']:.0f} a second, {read['reads_per_cpu_second']:.0f} a CPU second")  # fmt: skip
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
