"""A session: a machine, its tasks, and the numbered list of commands that brought it where it is.

The same commands give the same events, byte for byte: the session IS its commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.lang.errors import LangError
from kshell.session import events as ev
from kshell.session import panels, settings
from kshell.session.calls import Calls
from kshell.session.commands import CommandError, Registry
from kshell.session.face import Face
from kshell.session.hosts import Host, Hosts
from kshell.session.lookup import Lookup
from kshell.session.moment import PLAIN, Moment
from kshell.session.pieces import Piece, pieces
from kshell.session.reporting import Reporter
from kshell.session.tape import WORLD, Tape, TapedMachine, world_of
from kshell.session.tasks import Tasks, UserTask
from kshell.session.timeline import Logged, Timeline
from kshell.session.watch import Watch
from kshell.world.machine import MachinePanic, WorldError

if TYPE_CHECKING:
    from kshell.lens.graph.layout import Places
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel
    from kshell.session.captures import Capture
    from kshell.session.instruments import Instruments
    from kshell.session.programs import Programs
    from kshell.world.hosts import World
    from kshell.world.machine import Machine

AtStop = Callable[[list[ev.Event]], str | None]
"""Shows events that came so far and gives the debugger's next command, None to go on."""


class Session(Reporter, Lookup, Face):
    """Executes command text: run() gives the events at once, execute() as they come.

    goto, undo, diff, branch, trace, why, copy ask about it: kshell.session.face tells more.

    machine: the machine to use, None: a new one with `seed`.
    show: the panels that somebody looks at (`objects`, `changes`, `packets`, `log`, `wakeups`)
    configured: settings that are not as settings.TABLE has them
    terse: nobody reads what goes well, unless a panel shows it
    """

    calls_of_tasks: Calls
    current: UserTask
    hosts: Hosts

    def __init__(
        self,
        machine: Machine | None = None,
        seed: int = 0,
        show: frozenset[str] = frozenset(),
        configured: Mapping[str, str] = MappingProxyType({}),
        terse: bool = False,
    ) -> None:
        super().__init__()
        self.terse = terse
        self.seed = seed
        self.configured = configured
        self.show = panels.chosen(show, configured)
        self.machines: dict[str, Machine] = {}
        self.settings: dict[str, str] = {**settings.defaults(), **configured, **panels.of(self.show)}
        self.registry = Registry()
        self.ended = False
        self.instruments: Instruments | None = None
        self.jobs: Programs | None = None
        self.at_stop: AtStop | None = None
        self.texts: Iterator[str] = iter(())
        self._script: Iterator[Piece] = iter(())
        self.places: dict[str, Places] = {}
        """Where objects stand in figures, by kind of figure."""
        self.bands: dict[str, dict[int, Places]] = {}
        """The same in the bands of figures that are wider than the screen."""
        self.tape = Tape()
        self.captures: list[Capture] = []
        self.timeline = Timeline(self, rooted=machine is None)
        self.attach(self.boot() if machine is None else {"": machine})
        self.timeline.start = Moment(self)

    def __repr__(self) -> str:
        return f"<Session after command {self.timeline.here} of {len(self.timeline.branch.commands)}, task {self.task_name}>"

    # ---- the machines

    def boot(self) -> dict[str, Machine]:
        """New machines, as they are before the first command, by the name of their host."""
        return {"": TapedMachine(seed=self.seed)}

    def attach(
        self,
        machines: dict[str, Machine],
        moment: Moment | None = None,
        objects: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """Go on with these machines; they are as they were at `moment` (None: just booted).

        objects: what variables hold that held kernel objects then.
        """
        if self.machines:
            self.hosts.close()
        if self.instruments is not None:
            self.instruments.forget()
        for machine in machines.values():
            if isinstance(machine, TapedMachine):
                machine.tape = self.tape
        self.machines = machines
        self.jobs = None
        self.hosts = Hosts(self, machines)
        self.calls_of_tasks = Calls(self)
        self.current = self.hosts.first.tasks.init
        if moment is not None:
            moment.restore(self, objects)
        self.hosts.listen()
        for capture in self.captures:
            capture.listen(self.hosts)

    def twin(self, machines: dict[str, Machine], moment: Moment, objects: Mapping[str, object]) -> Session:
        """Another session on machines that are as they were at `moment`."""
        configured = {n: v for n, v in self.configured.items() if not panels.is_one(n)}  # nobody looks at it
        twin = Session(machines[""], self.seed, configured=configured)
        twin.attach(machines, moment, objects)
        return twin

    def build(self, what: str, *values: object) -> World:
        """Do something to the world around the machines (`World.do`). CommandError: it cannot be."""
        world = world_of(self.machines)
        self.tape.write(WORLD, "", what, *values)  # also what fails has made a world of the machines
        try:
            world.do(what, *values)
        except WorldError as error:
            raise CommandError(str(error), error.hint) from None
        for name, machine in self.machines.items():
            if self.hosts.get(name) is None:
                host = self.hosts.add(name, machine)
                for capture in self.captures:
                    capture.listen_to(host)
                if isinstance(machine, TapedMachine):
                    machine.tape = self.tape
        self.machine.run()
        return world

    def capture(self, host: str | None, device: str, path: str) -> Capture:
        """Write the packets of a device (`any`: all) of a host (None: all) into a file. CommandError: it can't be written."""
        from kshell.session.captures import Capture

        capture = Capture(host, device, path)
        self.captures.append(capture)
        capture.listen(self.hosts)
        return capture

    def objects(self) -> dict[str, object]:
        """The variables that hold kernel objects."""
        return {n: v for n, v in self.calls_of_tasks.variables.items() if not isinstance(v, PLAIN)}

    # ---- the current host

    @property
    def host(self) -> Host:
        """The host that commands are about."""
        return self.hosts[self.current.host]

    @property
    def machine(self) -> Machine:
        """The current host's machine."""
        return self.hosts[self.current.host].machine

    @property
    def kernel(self) -> Kernel:
        """The current host's kernel."""
        return self.machine.kernel

    @property
    def tasks(self) -> Tasks:
        """The current host's tasks."""
        return self.host.tasks

    @property
    def watch(self) -> Watch:
        """The ear at the current host's kernel."""
        return self.watch_of(self.current)

    def watch_of(self, user: UserTask) -> Watch:
        """The ear at the kernel of a task."""
        watch = self.hosts[user.host].watch
        assert watch is not None
        return watch

    # ---- what a reader asks

    @property
    def task(self) -> task_struct:
        """The task that commands without a prefix run in."""
        return self.current.task

    @property
    def task_name(self) -> str:
        return self.current.name

    @property
    def telling(self) -> bool:
        """Whether somebody reads what goes well: commands, calls with their arguments, expectations that hold."""
        return not self.terse or bool(self.show)

    @property
    def next_number(self) -> int:
        """The number the next command gets."""
        return self.timeline.here + 1

    @property
    def commands(self) -> list[Logged]:
        """The commands that brought the session where it is."""
        return self.timeline.done

    @property
    def now(self) -> int:
        """Virtual time in nanoseconds since boot."""
        kernel = self.hosts.first.machine.kernel
        return kernel.clock.now - kernel.boot_ns

    def head(self) -> ev.StreamHead:
        """The first record of a stream."""
        from kshell import __version__

        return ev.StreamHead(ev.FORMAT, __version__, self.seed, self.settings["abi"])

    def script(self) -> str:
        """The commands of this session as text that replays it."""
        begin = [f"set {name} {value}" for name, value in self.lasting_settings().items()]
        kept = (c.text for c in self.commands if c.text.split(None, 1)[:1] not in (["save"], ["exit"], ["quit"]))
        return "".join(text + "\n" for text in [*begin, *kept])

    def lasting_settings(self) -> dict[str, str]:
        """The settings that the session began with and that change what calls do."""
        table = settings.BY_NAME
        return {n: v for n, v in self.configured.items() if table[n].kept and v != table[n].default}

    # ---- executing

    def execute(self, text: str, file: str = "", line: int = 1) -> Iterator[ev.Event]:
        """Execute commands one after another; the events of each come when it is done.

        Nothing runs before the events are asked for: exhaust the iterator, or use `run`.
        """
        self._script = pieces(text, line)
        while not self.ended and (piece := next(self._script, None)) is not None:
            if not piece.comment:
                yield from self._one(piece, file)
            elif self.telling:
                yield ev.Comment(self.timeline.here, self.now, piece.text)

    def run(self, text: str, file: str = "") -> list[ev.Event]:
        """Execute commands; all their events."""
        return list(self.execute(text, file))

    def _one(self, piece: Piece, file: str) -> list[ev.Event]:
        self._events = []
        self._place, self._file = piece, file
        command = self.timeline.begin(piece.text, file, piece.line)
        if self.telling:
            self.emit(ev.CommandStarted, piece.text, file, piece.line, self.current.name)
        self.hosts.begin()
        if self.instruments is None or command is None:
            self.carry_out(piece.text)
        elif not self.instruments.carry_out(piece.text):
            command = None  # taken back
        packets = self.hosts.settle()
        if command is not None:
            command.packets = packets
            self.timeline.end(command, self._events)
        if "causes" in self.show:
            self._tell_causes()
        return self._events

    def _tell_causes(self) -> None:
        """Tell why calls of this command failed."""
        if any(isinstance(event, ev.CallFinished) and event.errno for event in self._events):
            from kshell.session.reasons.telling import with_causes

            try:
                self._events = with_causes(self, self._events)
            except Exception as error:
                self.oops(error)

    def carry_out(self, text: str) -> None:
        """Do one command; what goes wrong is reported."""
        try:
            self._dispatch(text)
        except CommandError as error:
            self.report(error.message, error.hint, error.column)
        except WorldError as error:
            self.report(str(error), error.hint)
        except MachinePanic as panic:
            self.report(f"the kernel has panicked: {panic}", "a new session starts a new machine; undo takes it back")
        except (MemoryError, RecursionError) as error:
            self.report(f"too large: {error or type(error).__name__}")
        except Exception as error:
            self.oops(error)
        self._settle()

    def _dispatch(self, text: str) -> None:
        try:
            self.calls_of_tasks.execute(text)
        except LangError as error:
            self.report_error(error)

    def _settle(self) -> None:
        """Report what else came to an end, and choose a living task."""
        try:
            self.run_ready()
            self.calls_of_tasks.collect()
        except Exception as error:
            self.oops(error)
        self._drop_broken_captures()
        for host in self.hosts:
            host.tasks.bury()
        if self.current.dead:
            self.current = self.tasks.init

    def _drop_broken_captures(self) -> None:
        """A capture that cannot be written on is told of once and ends."""
        for capture in [each for each in self.captures if each.problem] if self.captures else ():
            self.captures.remove(capture)
            capture.close()
            self.report(f"{capture.problem}: the capture ends after {capture.packets} packets")

    # ---- at a stop of the debugger

    @property
    def stopped(self) -> bool:
        """Whether the debugger has stopped the kernel in the middle of a command."""
        return self.instruments is not None and self.instruments.stopped

    @property
    def taken_back(self) -> bool:
        """Whether the last command was taken back at a stop."""
        return self.instruments is not None and self.instruments.taken_back

    def ask_at_stop(self) -> str | None:
        """The debugger's next command: from whoever reads (`at_stop`), else the script's next line; None: no more."""
        if self.at_stop is not None:
            shown, self._events = self._events, []
            text = self.at_stop(shown)
            if text is not None:
                self._place = Piece(text, 1, False)
            return text
        piece = next((piece for piece in self._script if not piece.comment), None)
        if piece is None and (text := next(self.texts, None)) is not None:
            self._script = pieces(text)
            return self.ask_at_stop()
        if piece is not None:
            self._place = piece
            self.emit(ev.Debug, piece.text)
        return piece.text if piece is not None else None

    def relay(self, events: list[ev.Event]) -> None:
        """Tell what a copy of this session told, as this command's own."""
        for event in events:
            if not isinstance(event, ev.CommandStarted):
                event.n = self.timeline.number  # type: ignore[attr-defined]
                self._events.append(event)
                self.errors += isinstance(event, ev.Error)
                self.oopses += isinstance(event, ev.Oops)

    # ---- what commands use

    def explain(self, text: str) -> None:
        """Say what is known about the last word of a text."""
        from kshell.session.explaining import explain, word_at

        self.say(explain(self, word_at(text, len(text))))

    def finish(self) -> list[ev.Event]:
        """The end of a script: what was expected of calls that still sleep fails, calls never made are errors."""
        self._events = []
        self.calls_of_tasks.still_asleep()
        self.calls_of_tasks.queue.never_made()
        return self._events

    @property
    def programs(self) -> Programs:
        """The small programs that run."""
        if self.jobs is None:
            from kshell.session.programs import Programs

            self.jobs = Programs(self)
        return self.jobs

    def run_ready(self) -> None:
        """Run every task and program that can run, without letting time pass."""
        if self.jobs is not None and self.jobs.jobs:
            self.jobs.go_on()
        else:
            self.machine.run()

    def next_event(self) -> bool:
        """Jump to the next event of the clock and run what it wakes; False when nothing is due."""
        if self.machine.run_next_event() is None:
            return False
        if self.jobs is not None and self.jobs.jobs:
            self.jobs.go_on()
        return True

    def pass_time(self, nanoseconds: int) -> None:
        """Let virtual time pass."""
        machine = self.machine
        end = machine.clock.now + nanoseconds
        while self.jobs is not None and self.jobs.jobs:  # they have to act at their own time
            due = machine.clock.next_event()
            if due is None or due > end:
                break
            self.next_event()
        machine.run_until(end)

    def wait(self, name: str) -> None:
        """Let virtual time pass until a call comes back: any, or that of task `name`."""
        self.calls_of_tasks.wait(self.find_user(name) if name else None)

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        problem = settings.problem(name, value)
        if problem is not None:
            raise CommandError(*problem)
        self.settings[name] = value
        if panels.is_one(name):
            panels.apply(self, name)

    def choose_task(self, name: str) -> None:
        """Run later commands in task `name`; a new name makes a task."""
        self.current = self.user(name)
