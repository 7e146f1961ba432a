import pytest

from controller.resources.base import Json
from controller.resources.policy_document import PolicyDocument


def statement(**elements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", **elements}]}


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1.0}, id="keys in another order, 1.0 for 1"),
        pytest.param(statement(Action="s3:*"), statement(Action=["s3:*"]), id="a value for a list of one"),
        pytest.param(statement(Action=["a:b", "c:d"]), statement(Action=["c:d", "a:b", "a:b"]), id="actions are a set"),
        pytest.param(
            statement(Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}),
            statement(Condition={"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}),
            id="values of a condition are a set",
        ),
        pytest.param(
            statement(Principal={"AWS": ["1", "2"]}), statement(Principal={"AWS": ["2", "1"]}), id="so are principals"
        ),
        pytest.param(
            {"Statement": [{"Sid": "A"}, {"Sid": "B"}]},
            {"Statement": [{"Sid": "B"}, {"Sid": "A"}]},
            id="statements too",
        ),
        pytest.param({"Statement": {"Sid": "A"}}, {"Statement": [{"Sid": "A"}]}, id="one statement without a list"),
    ],
)
def test_documents_that_mean_the_same_are_equal(one: Json, other: Json) -> None:
    first, second = PolicyDocument.of(one, iam=True), PolicyDocument.of(other, iam=True)
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(statement(Action="s3:*"), statement(NotAction="s3:*"), id="another element"),
        pytest.param(statement(Sid="A"), statement(Sid="B"), id="another Sid"),
        pytest.param(statement(Condition={"Bool": {"k": True}}), statement(Condition={"Bool": {"k": 1}}), id="true, 1"),
        pytest.param(statement(Action=["a:b"]), statement(Action=[]), id="an empty list"),
        pytest.param({}, [], id="an object and a list"),
    ],
)
def test_documents_that_mean_something_else_differ(one: Json, other: Json) -> None:
    assert PolicyDocument.of(one, iam=True) != PolicyDocument.of(other, iam=True)


def test_outside_the_grammar_of_iam_the_order_of_a_list_counts() -> None:
    assert PolicyDocument.of({"Action": ["a", "b"]}, iam=False) != PolicyDocument.of({"Action": ["b", "a"]}, iam=False)
    assert PolicyDocument.of({"Action": ["a"]}, iam=False) != PolicyDocument.of({"Action": "a"}, iam=False)


def test_what_is_sent_is_minified_and_keeps_the_order_of_keys() -> None:
    assert PolicyDocument.of({"b": [1, "ä"], "a": {}}, iam=False).text == '{"b":[1,"ä"],"a":{}}'


def test_a_live_text_that_is_not_json_equals_no_document() -> None:
    broken = PolicyDocument.parse("{oops", iam=True)
    assert broken != PolicyDocument.of("{oops", iam=True)
    assert broken != PolicyDocument.of({}, iam=True)
    assert broken.to_json() == "{oops"


def test_filling_reaches_every_string_value_and_no_key() -> None:
    document = PolicyDocument.of({"X": ["X", {"X": "aXb"}]}, iam=False)
    assert sorted(document.strings()) == ["X", "aXb"]
    assert document.filled(lambda text: text.replace("X", "1"), iam=False).to_json() == {"X": ["1", {"X": "a1b"}]}
