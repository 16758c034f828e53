#!/bin/sh
# Print the path of a Python that can make a virtual environment, or one sentence on stderr that says what to install.
#
#   find_python.sh "3.11 3.13" [PYTHON]
#
# The first argument lists the versions that will do, the best one first; a PYTHON that is named is the only one tried.
# Each candidate is run, since a name on the PATH proves nothing: pyenv's shims stand there for versions that are off.
versions=$1
named=$2

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

whole() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

broken=
consider() { # COMMAND WANTED...: print its real path and stop, if it is one of the wanted versions and whole
    candidate=$1
    shift
    found=$(version_of "$candidate") || return 0
    for wanted in "$@"; do
        [ "$found" = "$wanted" ] || continue
        if whole "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            exit 0
        fi
        broken="$found $candidate"
    done
}

if [ -n "$named" ]; then
    # shellcheck disable=SC2086
    consider "$named" $versions
else
    for version in $versions; do
        for candidate in "python$version" python3 python \
            "$HOME"/.pyenv/versions/"$version".*/bin/python "$HOME"/.local/share/uv/python/cpython-"$version".*/bin/python3; do
            consider "$candidate" "$version"
        done
    done
fi

if [ -n "$broken" ]; then
    # shellcheck disable=SC2086
    set -- $broken
    echo "Python $1 ($2) cannot make virtual environments: install its venv module (Debian, Ubuntu: apt install python$1-venv)." >&2
else
    either=$(echo "$versions" | sed 's/ / or /g')
    first=${versions%% *}
    [ -z "$named" ] || named="; $named is not that"
    echo "Stillscape needs Python $either$named: install one, or say make PYTHON=/path/to/python$first." >&2
fi
exit 1
