"""What a log shows of the files before it."""

from kshell.lang.encode import UNSEEN
from kshell.session.strace.lines import Log
from kshell.session.strace.world import World


def world(*lines: str) -> World:
    return World(Log("\n".join(lines)))


def test_contents_come_from_reads_at_their_places() -> None:
    found = world(
        'openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3',
        'read(3, "ab", 2) = 2',
        'pread64(3, "zz", 2, 100) = 2',
        'read(3, "c\\n", 4096) = 2',
    )
    node = found.nodes["/etc/x"]
    assert node.contents == {0: b"ab", 2: b"c\n", 100: b"zz"}
    assert found.nodes["/etc"].kind == "S_IFDIR"


def test_shortened_strings_are_filled_up() -> None:
    node = world('openat(AT_FDCWD, "/x", O_RDONLY) = 3', 'read(3, "ab"..., 10) = 5').nodes["/x"]
    assert node.contents == {0: b"ab" + 3 * UNSEEN}


def test_sizes_and_modes_come_from_stat() -> None:
    node = world('newfstatat(AT_FDCWD, "/d", {st_mode=S_IFDIR|S_ISVTX|0777, st_size=60, ...}, 0) = 0').nodes["/d"]
    assert (node.kind, node.mode, node.size) == ("S_IFDIR", 0o1777, 60)


def test_what_is_absent_or_made_by_the_log_is_not_supplied() -> None:
    found = world(
        'access("/no", R_OK) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD, "/tmp/new", O_WRONLY|O_CREAT, 0644) = 3',
        'stat("/tmp/new", {st_mode=S_IFREG|0644, st_size=0, ...}) = 0',
        'bind(4, {sa_family=AF_UNIX, sun_path="/tmp/sock"}, 12) = 0',
        'unlink("/tmp/sock") = 0',
    )
    assert set(found.nodes) == {"/tmp", "/root"}


def test_links_and_listings() -> None:
    found = world(
        'readlink("/l", "target", 100) = 6',
        'openat(AT_FDCWD, "/dir", O_RDONLY|O_DIRECTORY) = 3',
        "getdents64(3, 0x1 /* 4 entries */, 32768) = 112",
        "getdents64(3, 0x1 /* 0 entries */, 32768) = 0",
    )
    assert (found.nodes["/l"].kind, found.nodes["/l"].target) == ("S_IFLNK", b"target")
    assert found.nodes["/dir"].filler == (4, 112)


def test_the_working_directory_is_found() -> None:
    assert world('getcwd("/srv/talk", 4096) = 10').cwd == "/srv/talk"


def test_children_have_copies_of_descriptors() -> None:
    found = world(
        '1 openat(AT_FDCWD, "/x", O_RDONLY) = 3',
        "1 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>",
        '2 read(3, "hi", 2) = 2',
        "1 <... clone resumed>) = 2",
        "1 close(3) = 0",
        '2 read(3, "!", 2) = 1',
    )
    assert found.nodes["/x"].contents == {0: b"hi", 2: b"!"}


def test_standard_descriptors_are_told_by_stat() -> None:
    found = world(
        "fstat(0, {st_mode=S_IFIFO|0600, st_size=0, ...}) = 0",
        "lseek(1, 0, SEEK_CUR) = -1 ESPIPE (Illegal seek)",
        "dup2(5, 2) = 2",
        "fstat(2, {st_mode=S_IFREG|0600, st_size=0, ...}) = 0",
    )
    assert {fd: node.kind for fd, node in found.standard.items()} == {0: "S_IFIFO", 1: "S_IFIFO"}
