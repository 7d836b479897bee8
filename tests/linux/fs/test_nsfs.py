"""Namespaces as files: /proc/PID/ns is opened, bound to other names, entered by setns()."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session


def run(text):
    """A session after commands whose expectations all held."""
    session = Session()
    events = session.run(text)
    failed = [event.text for event in events if isinstance(event, ev.ExpectationFailed)]
    assert (failed, session.errors, session.oopses) == ([], 0, 0)
    return session


def nets(session):
    return session.kernel.net_namespace_list


CALLS = [
    pytest.param("setns(n, CLONE_NEWNET) = 0", id="of-the-kind-named"),
    pytest.param("setns(n, 0) = 0", id="of-any-kind"),
    pytest.param("setns(n, CLONE_NEWUTS) = -1 EINVAL", id="of-another-kind"),
    pytest.param("setns(0, 0) = -1 EINVAL", id="no-namespace"),
    pytest.param("setns(99, 0) = -1 EBADF", id="no-descriptor"),
    pytest.param(
        'u = open("/proc/self/ns/user", O_RDONLY)\nsetns(u, 0) = -1 EINVAL', id="the-user-namespace-one-is-in"
    ),
    pytest.param('m = open("/proc/self/ns/mnt", O_RDONLY)\nsetns(m, CLONE_NEWNS) = 0', id="mounts"),
    pytest.param('p = open("/proc/self/ns/pid", O_RDONLY)\nsetns(p, CLONE_NEWPID) = 0', id="pids"),
    pytest.param("lseek(n, 0, SEEK_SET) = -1 ESPIPE", id="no-position"),
    pytest.param("read(n, ..., 4) = -1 EINVAL", id="nothing-to-read"),
    pytest.param("ioctl(n, NS_GET_NSTYPE) = 0x40000000", id="its-kind"),
    pytest.param("ioctl(n, NS_GET_PARENT) = -1 EINVAL", id="no-parent"),
    pytest.param("setresuid(1000, 1000, 1000) = 0\nsetns(n, 0) = -1 EPERM", id="without-the-capability"),
]


@pytest.mark.parametrize("calls", CALLS)
def test_calls(calls):
    run(f'n = open("/proc/self/ns/net", O_RDONLY) = 3\n{calls}')


def test_a_task_goes_into_the_network_of_another_and_comes_back():
    session = run(
        '@other unshare(CLONE_NEWNET) = 0\nold = open("/proc/self/ns/net", O_RDONLY)\n'
        'new = open("/proc/4/ns/net", O_RDONLY)\nsetns(new, CLONE_NEWNET) = 0'
    )
    other = session.find_user("other").task
    assert session.tasks.init.task.nsproxy.net_ns is other.nsproxy.net_ns is nets(session)[1]
    session.run("setns(old, CLONE_NEWNET) = 0")
    assert session.failed == 0
    assert session.tasks.init.task.nsproxy.net_ns is session.kernel.init_net


def test_an_open_file_keeps_a_namespace_and_its_close_ends_it():
    session = run('unshare(CLONE_NEWNET) = 0\nn = open("/proc/self/ns/net", O_RDONLY)\nm = open("/proc/2/ns/net", 0)\n')
    session.run("setns(m, 0) = 0")
    assert len(nets(session)) == 2
    session.run("close(n) = 0")
    assert len(nets(session)) == 1


def test_both_openers_get_one_inode_whose_number_the_link_shows():
    session = run('a = open("/proc/self/ns/net", 0)\nb = open("/proc/2/ns/net", 0)')
    files = session.tasks.init.task.files.fdt.fd
    assert files[3].f_inode is files[4].f_inode
    assert files[3].f_inode.i_ino == session.kernel.init_net.ns.inum
    session.run('readlink("/proc/self/ns/net", link, 100)\nreadlink("/proc/self/fd/3", name, 100)')
    texts = [event.args[1] for event in session.run(
        'readlink("/proc/self/ns/net", ..., 100)\nreadlink("/proc/self/fd/3", ..., 100)'
    ) if isinstance(event, ev.CallFinished)]  # fmt: skip
    assert texts == [f'"net:[{files[3].f_inode.i_ino}]"'] * 2


def test_a_namespace_bound_to_a_name_outlives_its_tasks():
    session = run(
        'mkdir("/tmp/ns", 0755)\nf = open("/tmp/ns/blue", O_RDONLY|O_CREAT, 0)\n@other unshare(CLONE_NEWNET) = 0\n'
        '@other mount("/proc/self/ns/net", "/tmp/ns/blue", "none", MS_BIND, NULL) = 0\n@other exit(0)\n'
    )
    assert len(nets(session)) == 2
    session.run('n = open("/tmp/ns/blue", O_RDONLY)\nsetns(n, CLONE_NEWNET) = 0')
    assert session.tasks.init.task.nsproxy.net_ns is nets(session)[1]
    lines = [event.text for event in session.run("cat /proc/self/mountinfo") if isinstance(event, ev.Output)]
    inum = nets(session)[1].ns.inum
    assert any(f"net:[{inum}] /tmp/ns/blue rw - nsfs nsfs rw" in line for line in lines), lines
    session.run('close(n) = 0\nn = open("/proc/2/ns/net", O_RDONLY)\nsetns(n, 0) = 0\numount2("/tmp/ns/blue", 0) = 0')
    assert (session.failed, len(nets(session))) == (0, 1)
