"""What is known of AWS: which answers are kept, which are asked for again, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.aws.known import SLOWER, Call, Known

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIST, ONE, OTHER = Call.of("x:ListThings"), Call.of("x:DescribeThing", Id="1"), Call.of("x:DescribeThing", Id="2")


@pytest.fixture
def known() -> Known:
    made = Known()
    made.begin()
    return made


def is_known(known: Known, *calls: Call) -> list[bool]:
    return [known.recall(call) is not None for call in calls]


def test_the_same_question_is_the_same_whatever_the_order_of_its_parameters() -> None:
    assert Call.of("x:Do", a=1, b=[2]) == Call.of("x:Do", b=[2], a=1)
    assert (
        len({Call.of("x:Do"), Call.of("x:Do", account="1"), Call.of("x:Do", region="1"), Call.of("x:Do", a="1")}) == 4
    )


def test_an_answer_of_nothing_is_an_answer(known: Known) -> None:
    known.learn(ONE, None, NOON)

    answer = known.recall(ONE)
    assert answer is not None and answer.value is None
    assert known.recall(OTHER) is None


class TestOneAndMany:
    def test_the_younger_answer_counts(self, known: Known) -> None:
        known.learn(LIST, [], NOON)
        known.learn(ONE, {}, NOON + HOUR)
        known.learn(OTHER, {}, NOON - HOUR)

        assert known.is_better(ONE, than=LIST) and not known.is_better(OTHER, than=LIST)

    def test_what_is_in_doubt_is_asked_by_itself(self, known: Known) -> None:
        known.learn(LIST, [], NOON)
        known.doubt([ONE])

        assert known.is_better(ONE, than=LIST)
        known.learn(ONE, {}, NOON + HOUR)
        assert known.is_better(ONE, than=LIST)

    def test_what_is_older_than_the_answer_that_lacks_it_is_asked_anew(self, known: Known) -> None:
        known.learn(ONE, {}, NOON)
        known.learn(LIST, [], NOON + HOUR)
        known.learn(OTHER, {}, NOON + 2 * HOUR)
        known.forget_older_singles([ONE, OTHER], than=LIST)

        assert is_known(known, ONE, OTHER) == [False, True]

    def test_asking_for_all_answers_many_doubts_at_once(self, known: Known) -> None:
        known.learn(LIST, [], NOON)
        known.doubt([ONE, OTHER])
        known.doubt([LIST], instead_of=known.doubted("x:DescribeThing"))

        assert known.recall(LIST) is None
        assert not known.is_better(ONE, than=LIST)


class TestStale:
    def test_one_young_answer_of_several_is_enough(self, known: Known) -> None:
        known.learn(LIST, [], NOON)
        known.begin()
        assert known.is_stale((LIST, ONE), known.look)

        known.learn(ONE, {}, NOON)
        assert not known.is_stale((LIST, ONE), known.look)

    def test_nobody_rests_on_what_nobody_asked(self, known: Known) -> None:
        assert not known.is_stale((ONE,), known.look)

    def test_a_clock_that_was_put_back_makes_nothing_younger(self, known: Known) -> None:
        known.learn(LIST, [], NOON)
        known.begin()
        known.learn(ONE, {}, NOON - HOUR)

        assert known.is_stale((LIST,), known.look)
        assert known.is_better(ONE, than=LIST)
        known.forget_older(HOUR, NOON - HOUR)
        assert is_known(known, LIST, ONE) == [False, True]


class TestForgetting:
    def test_the_oldest_go_first_by_what_they_cost(self, known: Known) -> None:
        known.learn(LIST, [], NOON, calls=6)
        known.learn(ONE, {}, NOON + HOUR, calls=2)
        known.learn(OTHER, {}, NOON + 2 * HOUR, calls=2)

        known.forget_oldest(0.6)
        assert is_known(known, LIST, ONE, OTHER) == [False, True, True]
        known.forget_oldest(1)
        assert is_known(known, ONE, OTHER) == [False, False]

    def test_slow_answers_last_longer(self, known: Known) -> None:
        known.learn(ONE, {}, NOON)
        known.learn(OTHER, {}, NOON, slow=True)

        known.forget_older(HOUR, NOON + 2 * HOUR)
        known.forget_oldest(1)
        known.forget()
        assert is_known(known, ONE, OTHER) == [False, True]
        known.forget_older(HOUR, NOON + (SLOWER + 1) * HOUR)
        assert is_known(known, OTHER) == [False]

    def test_what_a_whole_look_did_not_use_is_forgotten(self, known: Known) -> None:
        known.learn(ONE, {}, NOON)
        known.learn(OTHER, {}, NOON)
        known.begin()
        known.recall(OTHER)
        known.tidy()

        assert is_known(known, ONE, OTHER) == [False, True]


def test_the_least_number_of_calls_has_full_pages() -> None:
    known = Known()
    known.learn(LIST, list(range(41)), NOON, calls=5)
    known.learn(ONE, {}, NOON)
    known.learn(OTHER, None, NOON)

    assert known.least(lambda action: 20) == {"x:ListThings": 3, "x:DescribeThing": 2}
