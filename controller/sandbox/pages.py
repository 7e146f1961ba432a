"""Pages of a listing: by slice, as long as AWS likes, with tokens that say nothing to whoever gets them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Any

from controller.sandbox.shapes import CODES
from controller.sandbox.world import Refused, World

Json = dict[str, Any]


def page(
    world: World, items: list[Any], request: Json, *, size: int, limit: str = "MaxResults", token: str = "NextToken"
) -> tuple[list[Any], dict[str, str]]:
    """One page of `items`: (the slice, ``{token: …}`` where more is to come).

    Args:
        size: AWS's largest page; a smaller `limit` in the request is honoured.

    Raises:
        Refused: The token is none of this listing's, or too old.
    """
    given, listing = request.get(token), ""
    start, again = 0, False
    if given:
        listing = _listing(world, request, (limit, token))
        start, again = _read(world, given, listing)
    left = len(items) - start
    count = min(size, int(request.get(limit) or size))
    if left > 0 and not again and _by_chance(world, "empty-pages", start):
        end, again = start, True
    else:
        if left > 1 and _by_chance(world, "short-pages", start):
            count = max(1, min(count, left) // 2)
        end, again = start + count, False
    if end > len(items) or (end == len(items) and not (left > 0 and _by_chance(world, "empty-pages", end))):
        return items[start:end], {}
    return items[start:end], {token: _token(world, end, again, listing or _listing(world, request, (limit, token)))}


def _by_chance(world: World, rule: str, at: int) -> bool:
    odds = world.rules.amount(rule)
    return odds > 0 and not world.by_hand and world.chance(rule, world.serving, at) < odds


def _listing(world: World, request: Json, paging: tuple[str, str]) -> str:
    """What a token belongs to: the operation and its arguments."""
    return repr((world.serving, sorted((key, value) for key, value in request.items() if key not in paging)))


def _token(world: World, start: int, again: bool, listing: str) -> str:
    if not world.rule("page-tokens"):
        return str(start)
    text = f"{start} {int(again)} {world.clock.now():.3f}"
    return urlsafe_b64encode(f"{text} {_seal(world, text, listing)}".encode()).decode()


def _read(world: World, given: str, listing: str) -> tuple[int, bool]:
    """(where the page begins, whether an empty one has been there)."""
    try:
        if not world.rule("page-tokens"):
            return int(given), True
        start, again, since, seal = urlsafe_b64decode(given).decode().split(" ")
    except ValueError:
        raise _refused(world, "You provided an invalid token.") from None
    if seal != _seal(world, f"{start} {again} {since}", listing):
        raise _refused(world, "You provided a token of another request.")
    if world.clock.now() - float(since) > world.rules.limit("page-tokens-expire"):
        raise _refused(world, "You provided a token that has expired.")
    return int(start), again == "1"


def _seal(world: World, text: str, listing: str) -> str:
    return blake2b(f"{world.seed} {text} {listing}".encode(), digest_size=12).hexdigest()


def _refused(world: World, message: str) -> Refused:
    service = world.serving.partition(":")[0]
    fields: Json = {"Reason": "INVALID_NEXT_TOKEN"} if service == "organizations" else {}
    return Refused(CODES.get(service, "ValidationException"), message, **fields)
