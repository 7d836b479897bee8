"""Signals: numbers, sigaction flags, si_code values (asm/signal.h, asm-generic/siginfo.h)."""

from typing import Final

SIGHUP: Final = 1

SIGINT: Final = 2

SIGQUIT: Final = 3

SIGILL: Final = 4

SIGTRAP: Final = 5

SIGABRT: Final = 6

SIGIOT: Final = 6

SIGBUS: Final = 7

SIGFPE: Final = 8

SIGKILL: Final = 9

SIGUSR1: Final = 10

SIGSEGV: Final = 11

SIGUSR2: Final = 12

SIGPIPE: Final = 13

SIGALRM: Final = 14

SIGTERM: Final = 15

SIGSTKFLT: Final = 16

SIGCHLD: Final = 17

SIGCONT: Final = 18

SIGSTOP: Final = 19

SIGTSTP: Final = 20

SIGTTIN: Final = 21

SIGTTOU: Final = 22

SIGURG: Final = 23

SIGXCPU: Final = 24

SIGXFSZ: Final = 25

SIGVTALRM: Final = 26

SIGPROF: Final = 27

SIGWINCH: Final = 28

SIGIO: Final = 29

SIGPOLL: Final = 29

SIGPWR: Final = 30

SIGSYS: Final = 31

SIGRTMIN: Final = 32

SA_RESTORER: Final = 0x4000000

MINSIGSTKSZ: Final = 2048

SIGSTKSZ: Final = 8192

SA_NOCLDSTOP: Final = 0x1
SA_NOCLDWAIT: Final = 0x2
SA_SIGINFO: Final = 0x4
SA_UNSUPPORTED: Final = 0x400
SA_EXPOSE_TAGBITS: Final = 0x800
SA_ONSTACK: Final = 0x8000000
SA_RESTART: Final = 0x10000000
SA_NODEFER: Final = 0x40000000
SA_RESETHAND: Final = 0x80000000
SA_NOMASK: Final = 0x40000000
SA_ONESHOT: Final = 0x80000000

SIG_BLOCK: Final = 0
SIG_UNBLOCK: Final = 1
SIG_SETMASK: Final = 2
SIG_DFL: Final = 0
SIG_IGN: Final = 1
SIG_ERR: Final = 0xffffffffffffffff

SI_MAX_SIZE: Final = 128
SI_USER: Final = 0
SI_KERNEL: Final = 128
SI_QUEUE: Final = -1
SI_TIMER: Final = -2
SI_MESGQ: Final = -3
SI_ASYNCIO: Final = -4
SI_SIGIO: Final = -5
SI_TKILL: Final = -6
SI_DETHREAD: Final = -7
SI_ASYNCNL: Final = -60

ILL_ILLOPC: Final = 1
ILL_ILLOPN: Final = 2
ILL_ILLADR: Final = 3
ILL_ILLTRP: Final = 4
ILL_PRVOPC: Final = 5
ILL_PRVREG: Final = 6
ILL_COPROC: Final = 7
ILL_BADSTK: Final = 8
ILL_BADIADDR: Final = 9

FPE_INTDIV: Final = 1
FPE_INTOVF: Final = 2
FPE_FLTDIV: Final = 3
FPE_FLTOVF: Final = 4
FPE_FLTUND: Final = 5
FPE_FLTRES: Final = 6
FPE_FLTINV: Final = 7
FPE_FLTSUB: Final = 8
FPE_FLTUNK: Final = 14
FPE_CONDTRAP: Final = 15

SEGV_MAPERR: Final = 1
SEGV_ACCERR: Final = 2
SEGV_BNDERR: Final = 3
SEGV_PKUERR: Final = 4
SEGV_ACCADI: Final = 5
SEGV_ADIDERR: Final = 6
SEGV_ADIPERR: Final = 7
SEGV_MTEAERR: Final = 8
SEGV_MTESERR: Final = 9

BUS_ADRALN: Final = 1
BUS_ADRERR: Final = 2
BUS_OBJERR: Final = 3
BUS_MCEERR_AR: Final = 4
BUS_MCEERR_AO: Final = 5

TRAP_BRKPT: Final = 1
TRAP_TRACE: Final = 2
TRAP_BRANCH: Final = 3
TRAP_HWBKPT: Final = 4
TRAP_UNK: Final = 5
TRAP_PERF: Final = 6
TRAP_PERF_FLAG_ASYNC: Final = 1

CLD_EXITED: Final = 1
CLD_KILLED: Final = 2
CLD_DUMPED: Final = 3
CLD_TRAPPED: Final = 4
CLD_STOPPED: Final = 5
CLD_CONTINUED: Final = 6

POLL_IN: Final = 1
POLL_OUT: Final = 2
POLL_MSG: Final = 3
POLL_ERR: Final = 4
POLL_PRI: Final = 5
POLL_HUP: Final = 6

SIGEV_SIGNAL: Final = 0
SIGEV_NONE: Final = 1
SIGEV_THREAD: Final = 2
SIGEV_THREAD_ID: Final = 4
SIGEV_MAX_SIZE: Final = 64
SIGEV_PAD_SIZE: Final = 12

_NSIG: Final = 64
SIGRTMAX: Final = 64

SS_ONSTACK: Final = 1
SS_DISABLE: Final = 2
SS_AUTODISARM: Final = 0x80000000
