#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - install what Tern needs, on Debian 12, Debian 13, Ubuntu 24.04.
#
# usage: sh grade/setup.sh [--core] [--docs] [--real] [--all] [--list]
#
# The list is packages.txt.  Does nothing, quickly, when all is installed;
# says what it will install before it does; asks apt for the index once.
# --real also fetches the source of Lua, into .cache/lua.

set -eu
list=$(dirname "$0")/packages.txt
# Native tools make x86-64 programs only there.
foreign=
[ "$(uname -m)" = x86_64 ] || foreign=foreign
sections="core $foreign"
dry=
for arg; do
    case $arg in
    --core) ;;
    --docs) sections="$sections docs" ;;
    --real) sections="$sections real" ;;
    --all)  sections="core $foreign docs real" ;;
    --list) dry=1 ;;
    *)      sed -n '3,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

# The lines of the chosen sections, one "a | b" group a line.
groups() {
    awk -v want=" $sections " '
        /^\[/ { gsub(/[][]/, ""); on = index(want, " " $0 " "); next }
        /^[a-z0-9]/ && on { gsub(/ /, ""); print }' "$list"
}

installed() {
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok'
}

missing() {
    groups | while read -r group; do
        for name in $(echo "$group" | tr '|' ' '); do
            installed "$name" && continue 2
        done
        echo "$group"
    done
}

# Real programs are more than packages: one comes as its source.
lua=$(dirname "$0")/../.cache/lua
lacks_lua() {
    case " $sections " in
    *" real "*) [ ! -e "$lua/src/lua.c" ] ;;
    *)          false ;;
    esac
}

# `apt-get source` needs "deb-src" lines, and few systems have them.  Leaves
# theirs alone: a folder of its own gets the same lines as source lines.
# Archives without sources fail to update; that matters only to apt.
# The source is left as its authors published it, without Debian's patches.
fetch_lua() (
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/parts" "$work/lists/partial" "$work/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        new=$work/parts/$(basename "$file")
        case $file in
        *.list)    [ ! -f "$file" ] ||
                   sed -n 's/^deb\([[:space:]]\)/deb-src\1/p' "$file" >"$new" ;;
        *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$new" ;;
        esac
    done
    apt() {
        (cd "$work" && apt-get -q -o Dir::Etc::sourcelist=/dev/null \
            -o Dir::Etc::sourceparts="$work/parts" \
            -o Dir::State::lists="$work/lists" -o Dir::Cache="$work" \
            -o APT::Sandbox::User=root "$@")
    }
    apt update || :
    apt source --download-only lua5.4 || exit 1
    dpkg-source --skip-patches -x "$work"/lua5.4_*.dsc "$work/lua" || exit 1
    mkdir -p "$(dirname "$lua")"
    rm -rf "$lua"
    mv "$work/lua" "$lua"
)

todo=$(missing)
if [ -z "$todo" ] && ! lacks_lua; then
    echo "setup: everything is installed" $sections
    exit 0
fi
if [ -n "$dry" ]; then
    [ -z "$todo" ] || echo "$todo"
    ! lacks_lua || echo "lua5.4 (source)"
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "setup: needs apt-get (Debian 12, 13 or Ubuntu 24.04); missing:" >&2
    echo "$todo" >&2
    exit 1
fi
# All of them, by one command.
install_packages() {
    root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "setup: be root, or install sudo; missing:" $todo >&2
            exit 1
        }
        root=sudo
    fi

    $root apt-get update -q
    names=
    for group in $todo; do
        for name in $(echo "$group" | tr '|' ' '); do
            if apt-cache policy "$name" | grep -q 'Candidate: [^(]'; then
                names="$names $name"
                continue 2
            fi
        done
        echo "setup: this release knows none of: $group" >&2
        exit 1
    done
    echo "setup: will install:$names"
    # shellcheck disable=SC2086  # one word a package
    $root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends $names
    todo=$(missing)
    [ -z "$todo" ] || { echo "setup: still missing: $todo" >&2; exit 1; }
}

[ -z "$todo" ] || install_packages
if lacks_lua; then
    echo "setup: will fetch the source of lua5.4"
    fetch_lua || { echo "setup: no source of lua5.4 from apt" >&2; exit 1; }
fi
echo "setup: done:" $sections
