"""What calls cost at AWS's rates: arithmetic over the table of `limits`, before a single one is sent.

A bucket is taken as full, as AWS's are after a rest, and nothing as lost on the way: no client can be faster. `Limits`
itself keeps a little of every burst back, so it is always a little slower.
"""

from __future__ import annotations

from collections.abc import Mapping

from controller.aws.limits import Rate, rate_of


def seconds(calls: Mapping[str, int], share: float = 1.0, multiple: float = 1.0) -> tuple[float, str]:
    """The least seconds in which so many calls can be made, all at once as far as their rates allow.

    The calls are one account's in one Region: the same calls elsewhere have buckets of their own.

    Args:
        calls: IAM action → how many.
        share: Of AWS's rates and bursts, what is ours.
        multiple: Of AWS's published rates: a sandbox may be faster.

    Returns:
        The slowest bucket's seconds, and its most frequent action; 0 and "" where every call fits into its burst.
    """
    slowest, bottleneck = 0.0, ""
    for rate, together in _rows(calls).items():
        taken = least(rate, sum(together.values()), share, multiple)
        if taken > slowest:
            slowest, bottleneck = taken, max(together, key=together.__getitem__)
    return slowest, bottleneck


def least(rate: Rate, calls: int, share: float = 1.0, multiple: float = 1.0) -> float:
    """The least seconds until the last of so many calls can be sent from one row's bucket.

    The organization's own bucket, where a row has one, is never smaller than an account's: one caller does not feel it.
    """
    burst = max(1, int(rate.burst * share))
    return max(0, calls - burst) / (rate.per_second * share * multiple)


def _rows(calls: Mapping[str, int]) -> dict[Rate, dict[str, int]]:
    rows: dict[Rate, dict[str, int]] = {}
    for action, count in calls.items():
        if count:
            rows.setdefault(rate_of(action), {})[action] = count
    return rows
