"""The command line of kshell: what may be given, and its help text."""

from __future__ import annotations

USAGE = """\
usage: kshell [OPTIONS]                  the prompt (--resume: go on with the last session)
       kshell -c TEXT [-c TEXT ...]      run commands, one after another
       kshell run FILE ...               replay scripts and strace logs, narrated
       kshell check FILE ...             hold every expectation; exit 0 all hold, 1 some fail, 2 unreadable
       kshell boot [--trace] [--chain]   boot, and show the kernel log (or the call tree of the boot)
       kshell config                     write ~/.config/kshell/config.toml; once it is there, show what it sets
       kshell -                          commands from standard input

FILE is a kshell script (.ks), a strace log, or raw call records (.jsonl, .jsonl.gz); `-` is standard input.

options:
  -c TEXT               commands to run (may be repeated)
  --show PANELS         what to show, separated by commas: line, objects, changes, packets, log, wakeups,
                        signals, causes (of errors); `all` and `none` are understood; a leading + or -
                        changes what is usual
  --json                one JSON object an event on standard output (`help json` describes them)
  --trace[=FILTERS]     trace every command, or the boot: --trace=tcp_*,net/core/*,-d4 (`help trace`)
  --break FUNCTION      stop there, also while booting; the commands behind the one that stops are the
                        debugger's (`help break`)
  --pcap FILE           write all packets of all devices into a capture file that Wireshark reads
  --seed N              seed of the machine's random numbers (default 0)
  -q, --quiet           only what commands print, and what goes wrong
  --color WHEN          auto, always or never (default auto; NO_COLOR is respected)
  --resume              bring the last session at the prompt back, by running its commands again
  -V, --version         the version
  -h, --help            this text

In the prompt or with -c:  help, help socket, help json
"""

PANELS = ("line", "objects", "changes", "packets", "log", "wakeups", "signals", "causes")
_USUAL = {
    "-c": ("line", "signals"),
    "run": ("line", "objects", "signals"),
    "check": (),
    "boot": (),
    "config": (),
    "": ("line", "objects", "signals", "causes"),
}
SUBCOMMANDS = ("run", "check", "boot", "config")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from kshell.shell.paint import Keyboard


class UsageError(Exception):
    """The command line cannot be understood."""


class Options:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.subcommand = ""
        self.texts: list[str] = []
        self.files: list[str] = []
        self.json = False
        self.quiet = False
        self.chain = False
        self.trace: str | None = None
        self.breaks: list[str] = []
        self.help = False
        self.version = False
        self.resume = False
        self.pcap = ""
        self.seed = 0
        self.color = "auto"
        self.show: str | None = None
        self.keyboard: Keyboard | None = None
        """The terminal, if the first prompt is painted already."""

    def panels(self) -> frozenset[str]:
        """The panels to show."""
        usual = () if self.quiet else _USUAL["-c" if self.texts or self.files == ["-"] else self.subcommand]
        return _panels(self.show, frozenset(usual))


def _panels(show: str | None, usual: frozenset[str]) -> frozenset[str]:
    if show is None:
        return usual
    chosen = set(usual) if show[:1] in ("+", "-") else set()
    for word in show.split(","):
        names = {"all": set(PANELS), "none": set()}.get(word.lstrip("+-"), {word.lstrip("+-")})
        unknown = names - set(PANELS)
        if unknown:
            raise UsageError(f"--show: there is no panel {min(unknown)!r}; there are {', '.join(PANELS)}")
        chosen = chosen - names if word.startswith("-") else chosen | names
    return frozenset(chosen)


def parse(arguments: list[str]) -> Options:
    """Understand the arguments behind `kshell`; UsageError says what is wrong."""
    options = Options()
    rest = iter(arguments)
    only_files = False
    for word in rest:
        if only_files or word == "-" or not word.startswith("-"):
            _positional(options, word)
        elif word == "--":
            only_files = True
        elif not _flag(options, word):
            _valued(options, word, rest)
    _hold(options)
    return options


def _positional(options: Options, word: str) -> None:
    if not options.subcommand and not options.files and word in SUBCOMMANDS:
        options.subcommand = word
    else:
        options.files.append(word)


_FLAGS = {
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "--chain": "chain",
    "-h": "help",
    "--help": "help",
    "-V": "version",
    "--version": "version",
    "--resume": "resume",
}


def _flag(options: Options, word: str) -> bool:
    if word == "--trace":
        options.trace = ""
        return True
    name = _FLAGS.get(word)
    if name is None:
        return False
    setattr(options, name, True)
    return True


def _valued(options: Options, word: str, rest: object) -> None:
    name, equals, value = word.partition("=")
    if name not in ("-c", "--show", "--color", "--seed", "--trace", "--break", "--pcap") and not word.startswith("-c"):
        raise UsageError(f"there is no option {name}")
    if word.startswith("-c") and word != "-c":
        name, value = "-c", word[2:]
    elif not equals:
        value = next(rest, None)  # type: ignore[call-overload]
        if value is None:
            raise UsageError(f"{name} wants a value")
    if name == "-c":
        options.texts.append(value)
    elif name == "--trace":
        options.trace = value
    elif name == "--break":
        options.breaks.append(value)
    elif name == "--pcap":
        options.pcap = value
    elif name == "--show":
        options.show = value
    elif name == "--color":
        options.color = _one_of(name, value, ("auto", "always", "never"))
    else:
        options.seed = _number(name, value)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UsageError(f"{name} is one of {', '.join(choices)}, not {value!r}")
    return value


def _number(name: str, value: str) -> int:
    try:
        return int(value, 0)
    except ValueError:
        raise UsageError(f"{name} wants a number, not {value!r}") from None


def _hold(options: Options) -> None:
    if options.help or options.version:
        return
    if options.subcommand in ("run", "check") and not options.files:
        raise UsageError(f"{options.subcommand} wants at least one FILE (or - for standard input)")
    if options.subcommand in ("boot", "config") and options.files:
        raise UsageError(f"{options.subcommand} takes no FILE")
    if not options.subcommand and options.files and options.files != ["-"]:
        raise UsageError(f"what is {options.files[0]!r}? To run a file: kshell run {options.files[0]}")
    if options.texts and (options.subcommand or options.files):
        raise UsageError("-c goes alone")
    if (options.trace is not None or options.breaks) and options.subcommand in ("check", "config"):
        raise UsageError(f"--trace and --break do not go with {options.subcommand}")
    if options.pcap and (options.subcommand not in ("", "run") or len(options.files) > 1):
        raise UsageError("--pcap goes with -c, with standard input and with run FILE")
    if options.chain and options.subcommand != "boot":
        raise UsageError("--chain goes with boot")
    _panels(options.show, frozenset())
