# SPDX-License-Identifier: MIT
"""setup.sh against a pretended Debian: what it asks of apt, and how often."""

import os
import re
import shutil
import subprocess

import pytest

from tree import TOP

STUBS = {
    # installed: what stands in the file `have`
    'dpkg-query': 'for last; do :; done; grep -qx -- "$last" "$DIR/have" && '
                  'echo "install ok installed"',
    'apt-get': 'echo "apt-get $*" >>"$DIR/log"; case "$*" in *install*) '
               'for w; do echo "$w" >>"$DIR/have"; done;; '
               '*parts=*update) for w; do case $w in *sourceparts=*) '
               'cat "${w#*=}"/* >"$DIR/parts";; esac; done;; '
               '*" source "*) [ ! -e "$DIR/offline" ] && '
               'touch lua5.4_1.dsc;; esac',
    'dpkg-source': 'for last; do :; done; mkdir -p "$last/src" && '
                   'touch "$last/src/lua.c"',
    'apt-cache': 'if grep -qx -- "$2" "$DIR/unknown"; then :; else '
                 'printf "%s:\\n  Candidate: 1.0\\n" "$2"; fi',
    'sudo': 'echo "sudo $*" >>"$DIR/log"; exec "$@"',
    'id': 'cat "$DIR/uid"',
    'uname': 'cat "$DIR/machine"',
}


@pytest.fixture
def world(tmp_path):
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'grade').mkdir()
    for name in ('setup.sh', 'packages.txt'):
        shutil.copy(TOP / 'grade' / name, tmp_path / 'grade')
    for name, body in STUBS.items():
        stub = tmp_path / 'bin' / name
        stub.write_text(f'#!/bin/sh\n{body}\n')
        stub.chmod(0o755)
    for name, text in (('have', ''), ('log', ''), ('uid', '0\n'),
                       ('machine', 'x86_64\n'),
                       ('unknown', 'qemu-system-riscv\n')):
        (tmp_path / name).write_text(text)
    return tmp_path


def run_setup(world, *args, code=0):
    env = {**os.environ, 'DIR': str(world),
           'PATH': f"{world}/bin:{os.environ['PATH']}"}
    done = subprocess.run(['sh', str(world / 'grade/setup.sh'), *args], env=env,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == code, done.stdout
    return done.stdout


def calls(world):
    return (world / 'log').read_text().splitlines()


def test_fresh_machine(world):
    out = run_setup(world)
    update, install = calls(world)
    assert update == 'apt-get update -q'
    assert 'will install: make gcc' in out
    assert ' qemu-system-misc ' in install          # the one that is known
    assert 'qemu-system-riscv' not in install
    assert 'doxygen' not in install
    (world / 'log').write_text('')
    assert 'everything is installed' in run_setup(world)
    assert calls(world) == []                       # not even an update


def test_sections(world):
    run_setup(world, '--all')
    install = calls(world)[1]
    assert 'doxygen' in install and 'dpkg-dev' in install


def test_source_of_lua(world):
    """Fetched once, with source lines in a folder of its own."""
    assert 'lua5.4 (source)' in run_setup(world, '--real', '--list', code=1)
    run_setup(world, '--real')
    update, install, own, source = calls(world)
    assert 'Dir::' not in update + install
    for call in own, source:
        assert 'sourcelist=/dev/null' in call and 'Dir::State::lists=' in call
    lines = (world / 'parts').read_text()
    assert 'deb-src' in lines
    assert not re.search(r'^(deb\s|Types:.*deb(\s|$))', lines, re.M)
    assert (world / '.cache/lua/src/lua.c').exists()
    (world / 'log').write_text('')
    assert 'everything is installed' in run_setup(world, '--real')
    assert calls(world) == []


def test_no_source_of_lua(world):
    """Not found is a failure, and leaves nothing half done."""
    (world / 'offline').touch()
    assert 'no source of lua5.4' in run_setup(world, '--real', code=1)
    assert not (world / '.cache').exists()


def test_only_what_is_missing(world):
    run_setup(world)
    (world / 'log').write_text('')
    run_setup(world, '--docs')
    assert calls(world)[1].endswith(
        '--no-install-recommends '
        'doxygen graphviz doxygen-awesome-css mandoc')


def test_foreign_host(world):
    """Where gcc makes no x86-64 programs, a cross compiler does."""
    run_setup(world)
    assert 'x86-64' not in calls(world)[1]
    (world / 'machine').write_text('aarch64\n')
    (world / 'log').write_text('')
    run_setup(world)
    assert calls(world)[1].endswith(
        ' gcc-x86-64-linux-gnu libc6-dev-amd64-cross')


def test_through_sudo(world):
    (world / 'uid').write_text('1000\n')
    run_setup(world)
    assert calls(world)[0] == 'sudo apt-get update -q'


def test_unknown_release(world):
    (world / 'unknown').write_text('opensbi\n')
    assert 'knows none of: opensbi' in run_setup(world, code=1)


def test_wrong_option(world):
    assert 'usage' in run_setup(world, '--everything', code=2)
