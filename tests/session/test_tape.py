"""Tapes: what is done to a machine, and done again on another."""

from kshell.lens.inventory import digest
from kshell.session.tape import CALL, MAP, NEXT, RUN, STORE, UNTIL, Tape, TapedMachine, play, task_of

SOCKET, READ, PIPE, NANOSLEEP = 41, 0, 22, 35


def taped() -> tuple[TapedMachine, Tape]:
    tape = Tape()
    return TapedMachine(tape=tape), tape


def test_calls_bytes_and_time_are_written_down() -> None:
    machine, tape = taped()
    arena = machine.arena(machine.init)
    machine.syscall(machine.init, SOCKET, (2, 1, 0))
    arena.put(b"hi")
    machine.run_for(5)
    assert [op[0] for op in tape.cut()] == [CALL, MAP, STORE, UNTIL]
    assert tape.cut() == ()


def test_a_run_with_nothing_to_do_is_not_written_down() -> None:
    machine, tape = taped()
    machine.run()
    assert tape.cut() == ()


def test_what_a_call_sets_off_is_part_of_it() -> None:
    machine, tape = taped()
    address = machine.arena(machine.init).put((1).to_bytes(8, "little") + bytes(8))
    tape.cut()
    machine.syscall(machine.init, NANOSLEEP, (address, 0))
    while machine.run_next_event():
        pass
    assert {op[0] for op in tape.cut()} <= {CALL, NEXT, RUN}


def test_a_machine_is_made_again_from_its_tape() -> None:
    machine, tape = taped()
    machine.syscall(machine.init, PIPE, (machine.arena(machine.init).take(8),))
    machine.syscall(machine.init, READ, (3, 0x40000100, 10))
    machine.run_for(1_000_000)
    again = TapedMachine()
    play(tape.cut(), {"": again})
    assert digest({"": again.kernel}) == digest({"": machine.kernel})


def test_what_went_wrong_is_passed_over_as_it_was() -> None:
    machine = TapedMachine()
    play([(CALL, "", 99, SOCKET, (2, 1, 0), False), (CALL, "", 1, SOCKET, (2, 1, 0), False)], {"": machine})
    assert machine.init.files.fdt.fd[3] is not None
    assert task_of(machine.kernel, 99) is None
