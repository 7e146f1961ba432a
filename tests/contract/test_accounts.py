"""Organizations: accounts."""

from __future__ import annotations

from typing import Any

from tests.contract.aws import Aws, refusal


def create(aws: Aws, email: str) -> dict[str, Any]:
    made: dict[str, Any] = aws.organizations.create_account(AccountName="a", Email=email)["CreateAccountStatus"]
    return made


def states(aws: Aws, id: str) -> tuple[str, str]:
    found = aws.account(id)
    return found["State"], found["Status"]


def test_creating_an_account_is_only_begun_by_the_call(aws: Aws) -> None:
    """Organizations API reference, CreateAccount: "works asynchronously"; State IN_PROGRESS, SUCCEEDED or FAILED."""
    aws.delay("CreateAccount", 60)

    status = create(aws, "payments@example.com")

    assert status["State"] == "IN_PROGRESS"
    assert len(aws.organizations.list_accounts()["Accounts"]) == 1
    aws.wait(60)
    ended = aws.organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
    assert ended["CreateAccountStatus"]["State"] == "SUCCEEDED"
    assert aws.account(ended["CreateAccountStatus"]["AccountId"])["Email"] == "payments@example.com"


def test_an_email_is_used_once(aws: Aws) -> None:
    """Organizations API reference, CreateAccountStatus: FailureReason EMAIL_ALREADY_EXISTS."""
    for email in ("Same@example.com", "same@example.com"):
        create(aws, email)
        aws.organizations.list_accounts()

    statuses = aws.organizations.list_create_account_status()["CreateAccountStatuses"]
    assert [each["State"] for each in statuses] == ["SUCCEEDED", "FAILED"]
    assert statuses[1]["FailureReason"] == "EMAIL_ALREADY_EXISTS"


def test_the_same_email_twice_at_once_fails_the_second(aws: Aws) -> None:
    """Organizations API reference, CreateAccountStatus: CONCURRENT_ACCOUNT_MODIFICATION, "already submitted a request
    with the same information"."""
    aws.delay("CreateAccount", 1)
    for _ in range(2):
        create(aws, "same@example.com")
    aws.wait(1)

    failed = aws.organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [each["FailureReason"] for each in failed] == ["CONCURRENT_ACCOUNT_MODIFICATION"]


def test_five_accounts_are_created_at_a_time(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": accounts created concurrently; API reference,
    ConstraintViolationException."""
    aws.delay("CreateAccount", 1)
    for number in range(5):
        create(aws, f"{number}@example.com")

    answer = refusal(aws.organizations.create_account, AccountName="a", Email="6@example.com")
    assert answer == "ConstraintViolationException ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"


def test_an_organization_has_a_quota_of_accounts(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": default number of accounts 10; API reference,
    ConstraintViolationException."""
    aws.rule("accounts", 10)
    for _ in range(9):
        aws.member()

    answer = refusal(aws.organizations.create_account, AccountName="a", Email="11@example.com")
    assert answer == "ConstraintViolationException ACCOUNT_NUMBER_LIMIT_EXCEEDED"


def test_a_closed_account_was_pending_first_and_is_gone_after_90_days(aws: Aws) -> None:
    """Organizations API reference, CloseAccount; User Guide, "Account states": PENDING_CLOSURE, then State CLOSED for
    90 days, with the older Status SUSPENDED."""
    aws.delay("CloseAccount", 60)
    id = aws.member()

    aws.organizations.close_account(AccountId=id)

    assert states(aws, id) == ("PENDING_CLOSURE", "PENDING_CLOSURE")
    assert refusal(aws.organizations.close_account, AccountId=id) == "ConflictException"
    aws.wait(60)
    assert states(aws, id) == ("CLOSED", "SUSPENDED")
    assert refusal(aws.organizations.close_account, AccountId=id) == "AccountAlreadyClosedException"
    aws.wait(90 * 86_400)
    assert refusal(aws.organizations.describe_account, AccountId=id) == "AccountNotFoundException"


def test_the_management_account_cannot_be_closed(aws: Aws) -> None:
    """Organizations API reference, CloseAccount; ConstraintViolationException's CANNOT_CLOSE_MANAGEMENT_ACCOUNT."""
    answer = refusal(aws.organizations.close_account, AccountId=aws.management)
    assert answer == "ConstraintViolationException CANNOT_CLOSE_MANAGEMENT_ACCOUNT"


def test_three_accounts_are_closed_at_a_time(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": accounts closed concurrently."""
    aws.delay("CloseAccount", 1)
    ids = [aws.member() for _ in range(4)]
    for id in ids[:3]:
        aws.organizations.close_account(AccountId=id)

    answer = refusal(aws.organizations.close_account, AccountId=ids[3])
    assert answer == "ConstraintViolationException CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"


def test_a_small_organization_closes_250_accounts_in_30_days(aws: Aws) -> None:
    """Organizations API reference, CloseAccount: "250 or 20% …, whichever is higher", CLOSE_ACCOUNT_QUOTA_EXCEEDED."""
    for _ in range(250):
        aws.organizations.close_account(AccountId=aws.member())
    last = aws.member()

    answer = refusal(aws.organizations.close_account, AccountId=last)
    assert answer == "ConstraintViolationException CLOSE_ACCOUNT_QUOTA_EXCEEDED"
    aws.wait(30 * 86_400)
    aws.organizations.close_account(AccountId=last)


def test_an_account_and_an_ou_say_where_they_are(aws: Aws) -> None:
    """botocore's organizations shapes Account (Paths) and OrganizationalUnit (Path); User Guide, "Account states", for
    the trailing slash."""
    organization = aws.organizations.describe_organization()["Organization"]["Id"]
    workloads = aws.unit("Workloads")
    id = aws.member()
    aws.organizations.move_account(AccountId=id, SourceParentId=aws.root, DestinationParentId=workloads)
    path = f"{organization}/{aws.root}/{workloads}/"

    assert aws.account(id)["Paths"] == [f"{path}{id}/"]
    for listed in (aws.organizations.list_accounts()["Accounts"][-1], *accounts_in(aws, workloads)):
        assert listed["Paths"] == [f"{path}{id}/"]
    described = aws.organizations.describe_organizational_unit(OrganizationalUnitId=workloads)
    assert described["OrganizationalUnit"]["Path"] == path


def test_an_account_that_is_not_active_yet_says_so(aws: Aws) -> None:
    """Organizations User Guide, "Account states": PENDING_ACTIVATION; SUSPENDED where AWS restricted
    it."""
    id = aws.member()
    for state in ("PENDING_ACTIVATION", "SUSPENDED"):
        aws.state(id, state)
        assert aws.account(id)["State"] == state


def accounts_in(aws: Aws, parent: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.organizations.list_accounts_for_parent(ParentId=parent)["Accounts"]
    return found


def test_moving_an_account_needs_the_parent_it_is_in(aws: Aws) -> None:
    """Organizations API reference, MoveAccount: SourceParentNotFoundException, DestinationParentNotFoundException."""
    a, b, id = aws.unit("A"), aws.unit("B"), aws.member()
    move = aws.organizations.move_account

    wrong = refusal(move, AccountId=id, SourceParentId=a, DestinationParentId=b)
    assert wrong == "SourceParentNotFoundException"
    nowhere = refusal(move, AccountId=id, SourceParentId=aws.root, DestinationParentId="ou-none-00000000")
    assert nowhere == "DestinationParentNotFoundException"
    assert accounts_in(aws, a) == accounts_in(aws, b) == []


def test_moving_an_account_to_where_it_is_is_refused(aws: Aws) -> None:
    """Organizations API reference, MoveAccount: DuplicateAccountException."""
    a, id = aws.unit("A"), aws.member()
    there = {"AccountId": id, "SourceParentId": aws.root, "DestinationParentId": a}
    aws.organizations.move_account(**there)

    assert refusal(aws.organizations.move_account, **there) == "DuplicateAccountException"
    assert refusal(aws.organizations.move_account, **{**there, "SourceParentId": a}) == "DuplicateAccountException"


def test_an_account_has_fifty_tags(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": tags per resource; API reference,
    ConstraintViolationException."""
    id = aws.member()
    aws.organizations.tag_resource(ResourceId=id, Tags=[{"Key": str(n), "Value": ""} for n in range(50)])

    answer = refusal(aws.organizations.tag_resource, ResourceId=id, Tags=[{"Key": "51", "Value": ""}])
    assert answer == "ConstraintViolationException MAX_TAG_LIMIT_EXCEEDED"
    aws.organizations.tag_resource(ResourceId=id, Tags=[{"Key": "0", "Value": "replaced"}])
