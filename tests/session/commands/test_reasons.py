"""`why` names the function that raised the error."""

import pytest

from kshell.session.session import Session


@pytest.mark.parametrize(
    ("commands", "function", "errno"),
    [
        ("bind(99, {AF_INET, 80, \"0.0.0.0\"}, 16)", "sockfd_lookup_light", "EBADF"),
        ("socket(AF_INET, 99, 0)", "", "EINVAL"),
        ("socket(AF_INET, SOCK_STREAM, 99)", "", "EPROTONOSUPPORT"),
        ("socket(AF_INET, SOCK_STREAM, 0)\nlisten(3, 1)\nlisten(3, 1)\nconnect(3, 0x1, 16)", "copy_from_user", "EFAULT"),
        ("open(\"/nowhere/x\", O_RDONLY)", "", "ENOENT"),
    ],
)
def test_the_origin_of_an_error(commands: str, function: str, errno: str) -> None:
    session = Session()
    session.run(commands)
    text = "\n".join(str(event.to_json().get("text", "")) for event in session.run("why"))
    assert errno in text
    assert f"{function}()" in text if function else "comes from" in text


def test_nothing_to_explain() -> None:
    events = Session().run("why")
    assert any("no call" in str(event.to_json()) for event in events)
