# shellcheck shell=sh
# Sourced by scripts/kshell and scripts/test: makes .venv beside the checkout when it is absent or out of date.
# Needs $root; prepare EXTRA installs the package with that extra ("" for none).

prepare() {
    wanted="$root/.venv/.kshell-installed$1"
    if [ -e "$wanted" ] && [ ! "$root/pyproject.toml" -nt "$wanted" ]; then
        return 0
    fi
    find_python || return 1
    echo "kshell: setting up $root/.venv (once)" >&2
    if [ ! -x "$root/.venv/bin/python" ]; then
        "$python" -m venv "$root/.venv" || return 1
    fi
    if [ -n "$1" ]; then what="$root[$1]"; else what="$root"; fi
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat \
        --editable "$what" >&2 || return 1
    "$root/.venv/bin/python" -m compileall -q "$root/kshell"
    "$root/.venv/bin/python" -m kshell.shell.bytecode_build
    touch "$wanted"
}

find_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return 0
        fi
    done
    echo "kshell: needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)" >&2
    return 1
}
