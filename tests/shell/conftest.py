"""What the tests of the start share."""

from collections.abc import Iterator

import pytest

from kshell.shell import bytecode, bytecode_build


@pytest.fixture(scope="session")
def kshells_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The cache of all of kshell, as set-up builds it."""
    with pytest.MonkeyPatch.context() as patch:
        path = str(tmp_path_factory.mktemp("cache") / "cache.bin")
        patch.setattr(bytecode, "CACHE", path)
        bytecode_build.build()
        yield path
