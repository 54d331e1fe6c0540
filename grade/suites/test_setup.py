# SPDX-License-Identifier: MIT
"""setup.sh against a pretended Debian: what it asks of apt, and how often."""

import os
import subprocess

import pytest

from tree import TOP

STUBS = {
    # installed: what stands in the file `have`
    'dpkg-query': 'for last; do :; done; grep -qx -- "$last" "$DIR/have" && '
                  'echo "install ok installed"',
    'apt-get': 'echo "apt-get $*" >>"$DIR/log"; case "$*" in *install*) '
               'for w; do echo "$w" >>"$DIR/have"; done;; esac',
    'apt-cache': 'if grep -qx -- "$2" "$DIR/unknown"; then :; else '
                 'printf "%s:\\n  Candidate: 1.0\\n" "$2"; fi',
    'sudo': 'echo "sudo $*" >>"$DIR/log"; exec "$@"',
    'id': 'cat "$DIR/uid"',
    'uname': 'cat "$DIR/machine"',
}


@pytest.fixture
def world(tmp_path):
    (tmp_path / 'bin').mkdir()
    for name, body in STUBS.items():
        stub = tmp_path / 'bin' / name
        stub.write_text(f'#!/bin/sh\n{body}\n')
        stub.chmod(0o755)
    for name, text in (('have', ''), ('log', ''), ('uid', '0\n'),
                       ('machine', 'x86_64\n'),
                       ('unknown', 'qemu-system-riscv\n')):
        (tmp_path / name).write_text(text)
    return tmp_path


def setup(world, *args, code=0):
    env = {**os.environ, 'DIR': str(world),
           'PATH': f"{world}/bin:{os.environ['PATH']}"}
    done = subprocess.run(['sh', str(TOP / 'grade/setup.sh'), *args], env=env,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == code, done.stdout
    return done.stdout


def calls(world):
    return (world / 'log').read_text().splitlines()


def test_fresh_machine(world):
    out = setup(world)
    update, install = calls(world)
    assert update == 'apt-get update -q'
    assert 'will install: make gcc' in out
    assert ' qemu-system-misc ' in install          # the one that is known
    assert 'qemu-system-riscv' not in install
    assert 'doxygen' not in install
    (world / 'log').write_text('')
    assert 'everything is installed' in setup(world)
    assert calls(world) == []                       # not even an update


def test_sections(world):
    setup(world, '--all')
    install = calls(world)[1]
    assert 'doxygen' in install and 'dpkg-dev' in install


def test_only_what_is_missing(world):
    setup(world)
    (world / 'log').write_text('')
    setup(world, '--docs')
    assert calls(world)[1].endswith(
        '--no-install-recommends '
        'doxygen graphviz doxygen-awesome-css mandoc')


def test_foreign_host(world):
    """Where gcc makes no x86-64 programs, a cross compiler does."""
    setup(world)
    assert 'x86-64' not in calls(world)[1]
    (world / 'machine').write_text('aarch64\n')
    (world / 'log').write_text('')
    setup(world)
    assert calls(world)[1].endswith(
        ' gcc-x86-64-linux-gnu libc6-dev-amd64-cross')


def test_through_sudo(world):
    (world / 'uid').write_text('1000\n')
    setup(world)
    assert calls(world)[0] == 'sudo apt-get update -q'


def test_unknown_release(world):
    (world / 'unknown').write_text('opensbi\n')
    assert 'knows none of: opensbi' in setup(world, code=1)


def test_wrong_option(world):
    assert 'usage' in setup(world, '--everything', code=2)
