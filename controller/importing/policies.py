"""policies/<name>.yaml: each policy with its content and where it is attached."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from controller.desired.declared import is_id
from controller.importing.content import CannotWrite, Contents
from controller.importing.look import FULL_ACCESS
from controller.importing.names import FileNames
from controller.importing.picture import Picture
from controller.importing.write import Block, Said
from controller.resources.policies import POLICY_KINDS, Policies, Policy, ServiceControlPolicy
from controller.resources.policy_attachment import PolicyAttachment


def write(picture: Picture) -> None:
    """A file for each, in the order of their kinds and names."""
    files, contents, attached = FileNames(), Contents(picture), _attached(picture)
    _full_access(picture, files)
    for kind in POLICY_KINDS:
        if not picture.scope.has(kind.name):
            continue
        policies = picture.seen.live.of(kind.resource)
        for name in sorted(policies):
            policy = policies[name]
            targets = attached.get((kind.name, name), [])
            if policy.aws_managed or not _is_asked_for(picture, kind, policy, targets):
                continue
            if (why := _nameless(policy)) is not None:
                picture.notes.left_out(_shown(kind, policy), why)
                continue
            said = _document(picture, kind, policy, targets, contents)
            file = f"policies/{files.take(name, without='policy')}.yaml"
            picture.put(file, schema_of(kind.document), [said])


def schema_of(document: str) -> str:
    """``ServiceControlPolicy`` → ``service_control_policy``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", document).lower()


def _shown(kind: Policies, policy: Policy) -> str:
    return f"{kind.name.replace('_', ' ')} '{policy.title}'"


def _attached(picture: Picture) -> dict[tuple[str, str], list[str]]:
    """(policy kind, policy) → keys of its targets."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in picture.seen.live.of(PolicyAttachment).values():
        found.setdefault((one.policy_kind, one.policy), []).append(one.target)
    return found


def _is_asked_for(picture: Picture, kind: Policies, policy: Policy, targets: Iterable[str]) -> bool:
    """Whether a partial import has it: all of what it is attached to lies in the OU, and that is not nothing."""
    inside = [picture.scope.covers(_place(picture, target)) for target in targets]
    if picture.scope.whole_tree or (inside and all(inside)):
        return True
    if any(inside):
        picture.notes.left_out(_shown(kind, policy), "it is attached outside of the OU as well")
    return False


def _place(picture: Picture, target: str) -> str | None:
    return target if target.startswith("/") else picture.accounts[target].unit


def _nameless(policy: Policy) -> str | None:
    if policy.others:
        return "AWS Control Tower's own, never touched"
    if is_id(policy.title) or not policy.title.strip():
        return "its name looks like an id, which git cannot write: rename it first"
    return None


def _document(
    picture: Picture, kind: Policies, policy: Policy, targets: list[str], contents: Contents
) -> dict[str, Any]:
    head: dict[str, Any] = {"kind": kind.document, "name": policy.key}
    try:
        content = _content(picture, kind, policy, contents)
    except CannotWrite as error:
        picture.notes.look(_shown(kind, policy), f"named, but not managed: {error}")
        return {**head, "external": Said(True, str(error))}
    tags = picture.tags(policy)
    return {
        **head,
        **({"description": policy.description} if policy.description else {}),
        **({"tags": tags} if tags else {}),
        **({"targets": places_of(picture, targets)} if picture.seen.live.whole(PolicyAttachment.kind) else {}),
        "content": Block(content),
    }


def is_written_whole(picture: Picture, kind: Policies, policy: Policy) -> bool:
    """Whether git says all of it."""
    try:
        _content(picture, kind, policy, Contents(picture))
    except CannotWrite:
        return False
    return _nameless(policy) is None


def _content(picture: Picture, kind: Policies, policy: Policy, contents: Contents) -> dict[str, Any]:
    """Raises CannotWrite."""
    if (why := picture.not_ours(policy)) is not None:
        raise CannotWrite(why)
    if policy.content is None:
        raise CannotWrite("its content could not be read")
    return contents.write(policy.content, kind.document, picture.limits.of(kind.document).characters)


def places_of(picture: Picture, targets: Iterable[str]) -> dict[str, Any]:
    """Targets as git names them."""
    units = [target for target in targets if target.startswith("/")]
    return picture.places(units, [target for target in targets if not target.startswith("/")])


def _full_access(picture: Picture, files: FileNames) -> None:
    """Where FullAWSAccess was taken off; it is AWS's own, and nothing else can be said of it."""
    off = [key for key in picture.seen.without_full_access if picture.scope.covers(_place(picture, key))]
    if not off or not picture.scope.has(ServiceControlPolicy.kind):
        return
    said = {
        "kind": "ServiceControlPolicy",
        "name": FULL_ACCESS,
        "detached_from": places_of(picture, off),
    }
    picture.put(f"policies/{files.take(FULL_ACCESS, without='policy')}.yaml", "service_control_policy", [said])
