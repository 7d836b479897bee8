"""splice(), tee(), sendfile()."""

from kshell.abi.errno import EAGAIN, EBADF, EINVAL, ESPIPE
from kshell.abi.fcntl import AT_FDCWD, O_CREAT, O_RDWR, SPLICE_F_NONBLOCK


def regular(host, name, data=b""):
    fd = host("openat", AT_FDCWD, name + b"\0", O_CREAT | O_RDWR, 0o600)
    if data:
        host.write(fd, data)
        host("lseek", fd, 0, 0)
    return fd


def test_sendfile_from_a_file_to_a_file(host):
    source, target = regular(host, b"/tmp/a", b"x" * 10000), regular(host, b"/tmp/b")
    assert host("sendfile", target, source, 0, 20000) == 10000
    host("lseek", target, 0, 0)
    assert host.read(target, 20000) == b"x" * 10000


def test_sendfile_with_an_offset_leaves_the_position(host):
    source = regular(host, b"/tmp/a", b"0123456789")
    r, w = host.pipe()
    offset = host.put((4).to_bytes(8, "little"))
    assert host("sendfile", w, source, offset, 3) == 3
    assert host.read(r, 10) == b"456"
    assert host.get(offset, 8) == (7).to_bytes(8, "little")
    assert host.read(source, 2) == b"01"


def test_sendfile_needs_a_file_to_read_from(host):
    r, w = host.pipe()
    target = regular(host, b"/tmp/b")
    assert host("sendfile", target, r, 0, 1) == -EINVAL
    assert host("sendfile", target, 99, 0, 1) == -EBADF
    assert host("sendfile", target, w, 0, 1) == -EBADF


def test_splice_through_a_pipe(host):
    source, target = regular(host, b"/tmp/a", b"hello"), regular(host, b"/tmp/b")
    r, w = host.pipe()
    assert host("splice", source, 0, w, 0, 100, 0) == 5
    assert host("splice", r, 0, target, 0, 3, 0) == 3
    host("lseek", target, 0, 0)
    assert host.read(target, 9) == b"hel"
    assert host.read(r, 9) == b"lo"


def test_splice_refuses(host):
    r, w = host.pipe()
    source, target = regular(host, b"/tmp/a", b"x"), regular(host, b"/tmp/b")
    assert host("splice", source, 0, target, 0, 1, 0) == -EINVAL
    assert host("splice", r, 0, w, 0, 1, 0) == -EINVAL
    assert host("splice", r, host.put(bytes(8)), target, 0, 1, 0) == -ESPIPE
    assert host("splice", r, 0, target, 0, 1, SPLICE_F_NONBLOCK) == -EAGAIN
    assert host("splice", r, 0, target, 0, 1, 0x100) == -EINVAL
    assert host("splice", r, 0, target, 0, 0, 0x100) == 0


def test_tee_does_not_consume(host):
    r1, w1 = host.pipe()
    r2, w2 = host.pipe()
    host.write(w1, b"twice")
    assert host("tee", r1, w2, 100, 0) == 5
    assert host.read(r2, 100) == b"twice"
    assert host.read(r1, 100) == b"twice"


def test_splice_between_pipes_moves(host):
    r1, w1 = host.pipe()
    r2, w2 = host.pipe()
    host.write(w1, b"moved")
    assert host("splice", r1, 0, w2, 0, 3, 0) == 3
    assert host.read(r2, 100) == b"mov"
    assert host.read(r1, 100) == b"ed"
