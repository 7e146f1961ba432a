"""Calls that nobody thought of: whatever the model allows is answered as the model says, or refused as AWS would."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from botocore import xform_name

from controller.sandbox.sandbox import Sandbox
from controller.sandbox.services import SERVICES
from controller.sandbox.shapes import flaws
from controller.sandbox.wire import model, operation_model
from controller.sandbox.world import Refused

CALLS = 1_500
OPERATIONS = [
    (service.name, name)
    for service in SERVICES
    for name in model(service.name).operation_names
    if hasattr(service, xform_name(name))
]
SEEDLINGS = (
    "sso.amazonaws.com",
    "securityhub.amazonaws.com",
    "config.amazonaws.com",
    "account.amazonaws.com",
    "us-east-1",
    "eu-west-1",
    "af-south-1",
    "a@example.com",
    "b@example.com",
    "PT2H",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "ACM.1",
    "IAM.6",
    "arn:aws:securityhub:us-east-1::standards/pci-dss/v/3.2.1",
    "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0",
    json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}),
    "userName",
    "displayName",
    "emails.value",
    "A",
    "alice",
    "+1 555 0100",
    "999999999999",
)


class Guess:
    """Values of any shape; what earlier answers said comes back in later questions."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.known: list[str] = list(SEEDLINGS)

    def __call__(self, shape: Any) -> Any:
        match shape.type_name:
            case "structure":
                names = [n for n in shape.members if n in shape.required_members or self._random.random() < 0.4]
                return {} if getattr(shape, "is_document_type", False) else {n: self(shape.members[n]) for n in names}
            case "list":
                return [self(shape.member) for _ in range(self._random.randint(shape.metadata.get("min", 0), 3))]
            case "map":
                return {self(shape.key): self(shape.value) for _ in range(self._random.randint(0, 2))}
            case "boolean":
                return self._random.random() < 0.5
            case "integer" | "long":
                return self._random.randint(shape.metadata.get("min", 1), shape.metadata.get("max", 20))
            case "timestamp":
                return 0
            case "string":
                return self._text(shape)
        return 1.0

    def _text(self, shape: Any) -> str:
        if shape.enum:
            return str(self._random.choice(shape.enum))
        known = self._random.sample(self.known, min(60, len(self.known)))
        return next((text for text in known if not list(flaws(shape, text))), "x" * shape.metadata.get("min", 1))

    def learn(self, value: Any) -> None:
        if isinstance(value, str) and value and len(self.known) < 400 and value not in self.known:
            self.known.append(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
            self.learn(each)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_asked_is_answered_or_refused(seed: int) -> None:
    random = Random(seed)
    sandbox = Sandbox.create(virtual=True, seed=seed, rules={"stale-reads": bool(seed % 2), "waiting-period": False})
    sandbox.strict = True
    sandbox.world.delays["*"] = 30.0
    guess, answered = Guess(random), set()
    for _ in range(CALLS):
        service, name = random.choice(OPERATIONS)
        described = operation_model(service, name)
        parameters = guess(described.input_shape) if described.input_shape else {}
        callers = [None, None, *sandbox.world.accounts, *sandbox.world.strangers]
        account = random.choice(callers)
        region = random.choice(("us-east-1", "us-east-1", "us-east-1", "eu-west-1"))
        try:
            guess.learn(sandbox.call(service, name, parameters, account=account, region=region))
            answered.add(name)
        except Refused as refused:
            assert refused.code
        except Exception as error:
            raise AssertionError(f"{service}:{name} {parameters} by {account}: {error!r}") from error
        if random.random() < 0.1:
            sandbox.world.clock.advance(random.choice((1, 60, 86_400)))
    assert len(answered) > len(OPERATIONS) / 4
