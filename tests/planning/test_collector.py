"""The search for garbage while a plan is made."""

from __future__ import annotations

import gc

import pytest

from controller.planning import collector


def test_it_is_put_off_and_taken_up_again_whatever_happens() -> None:
    with pytest.raises(KeyError), collector.put_off():
        assert not gc.isenabled()
        raise KeyError

    assert gc.isenabled()


def test_whoever_turned_it_off_before_finds_it_off() -> None:
    gc.disable()
    try:
        with collector.put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
