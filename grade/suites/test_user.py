# SPDX-License-Identifier: MIT
"""The system as a person meets it: everything here is typed on the console.

Job control of the shell, the editor, `top`, and one whole session: create,
edit, copy, kill, swap, reboot, find it all again, and e2fsck is content.
"""

import re

import pytest

import qemu
from test_disk import both, fsck, image, machine, power_off  # noqa: F401
from test_os import shell

PROMPT = r'(?m)^\$ '
UP, DOWN, HOME, END = '\x1b[A', '\x1b[B', '\x1b[H', '\x1b[F'


def ctrl(letter):
    return chr(ord(letter) & 0x1f)


def lines_of(m, command, timeout=20):
    """What a command prints.  The console echoes it first."""
    m.send(command + '; echo "=$?="\n')
    said = m.expect(r'(?s)=\$\?="\r?\n(.*?)=(\d+)=\r?\n', timeout)
    m.expect(PROMPT)
    return said[1].decode().replace('\r', '').splitlines()


def status(m):
    return lines_of(m, 'echo $?')[0]


def await_state(m, name, state, tries=20):
    """Until ps shows the process so."""
    for _ in range(tries):
        found = [x.split()[2] for x in lines_of(m, 'ps')
                 if x.split()[-1] == name]
        if found == [state]:
            return
    raise AssertionError(f'{name}: {found}, not {state}')


def press(m, command, letter):
    """Start a command and press a key once it has the terminal."""
    m.send(f'(echo go; {command})\n')
    m.expect(r'(?m)^go\r')
    m.send(ctrl(letter))


@both
def test_stop_and_end_by_key(arch):
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        press(m, 'sleep 1000', 'C')
        m.expect(PROMPT)
        assert status(m) == '130'
        press(m, 'sleep 1001', 'Z')
        m.expect(r'\[1\]\+  Stopped    \(echo go; sleep 1001\)')
        m.expect(PROMPT)
        assert status(m) == '148'
        # The key may come before the job has made its process.
        states = {x.split()[2] for x in lines_of(m, 'ps')
                  if x.split()[-1] == 'sleep'}
        assert states <= {'T'}, states
        assert lines_of(m, 'bg')[0] == '[1] (echo go; sleep 1001) &'
        await_state(m, 'sleep', 'S')
        assert lines_of(m, 'jobs')[0].split()[:2] == ['[1]+', 'Running']
        m.send('fg\n')
        m.expect(r'(?m)^\(echo go; sleep 1001\)')
        m.send(ctrl('C'))
        m.expect(PROMPT)
        assert status(m) == '130'
        assert lines_of(m, 'fg')[0] == 'sh: %: no such job'


@both
def test_background_reader_waits_for_its_turn(arch):
    """Of two readers only the one in the foreground gets what is typed."""
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        m.send('cat | wc &\n')
        m.expect(r'\[1\] \d+')
        m.expect(PROMPT)
        await_state(m, 'cat', 'T')
        assert lines_of(m, 'echo typed')[0] == 'typed'
        m.send('fg %1\n')
        m.expect(r'(?m)^cat \| wc')
        m.send('a b c\n' + ctrl('D'))
        m.expect(r'1 3 6')
        m.expect(PROMPT)
        m.send('sleep 1000 &\n')
        m.expect(PROMPT)
        m.send('kill %1; wait %1; echo "was $?"\n')
        m.expect('was 143')
        m.expect(PROMPT)


@both
def test_hang_up(arch):
    """The shell leaves: what it had stopped ends, what reads gets the end of
    the file, what runs runs on, and init brings a new shell."""
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        m.send('sleep 1000 &\n')
        m.expect(PROMPT)
        m.send('(sleep 8; cat; sleep 1001) &\n')
        m.expect(PROMPT)
        press(m, 'hexdump', 'Z')
        m.expect('Stopped')
        m.expect(PROMPT)
        m.send('exit\n')
        m.expect('there are stopped jobs')
        m.send('exit\n')
        m.expect(PROMPT)
        for _ in range(50):
            names = [x.split()[-1] for x in lines_of(m, 'ps; sleep 0.2')]
            assert 'hexdump' not in names
            if names.count('sleep') == 2 and 'cat' not in names:
                break
        assert names.count('sleep') == 2 and 'cat' not in names, names
        assert names.count('sh') == 2, names    # this one, and ( ... )
        press(m, 'sleep 1000', 'C')     # the terminal is the new shell's
        m.expect(PROMPT)
        assert status(m) == '130'


def edit(m, name, keys, message):
    """Start the editor, type, and wait for what it says."""
    m.send(f'edit {name}\n')
    m.expect(r'\x1b\[7m')           # its last row: it listens
    m.send(keys)
    m.expect(message)


def leave(m, keys=ctrl('Q')):
    m.send(keys)
    m.expect(PROMPT)


@both
def test_full_disk_loses_nothing(arch):
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        lines_of(m, 'echo the old text >tmp/f')
        assert 'ENOSPC' in lines_of(m, 'cat /dev/zero >tmp/fill', 60)[0]
        edit(m, 'tmp/f', 'new and ' + ctrl('S'), 'not saved: ENOSPC')
        m.send(ctrl('Q'))
        m.expect('forgets the changes')
        m.send(ctrl('Z'))
        m.expect(r'Stopped    edit tmp/f')
        m.expect(PROMPT)
        assert lines_of(m, 'cat tmp/f')[0] == 'the old text'
        lines_of(m, 'rm tmp/fill')
        m.send('fg\n')
        m.expect(r'\x1b\[7m')
        m.send(ctrl('S'))
        m.expect('saved 1 lines')
        leave(m)
        assert lines_of(m, 'cat tmp/f')[0] == 'new and the old text'
        assert lines_of(m, 'ls tmp') == ['f']


@both
def test_lost_editor_leaves_its_text(arch):
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        edit(m, 'tmp/f', 'precious', 'precious')
        m.send(ctrl('Z'))
        m.expect('Stopped')
        m.expect(PROMPT)
        m.send('kill %1; wait %1\n')
        m.expect(PROMPT)
        assert lines_of(m, 'cat tmp/f.save')[0] == 'precious'
        assert lines_of(m, 'cat tmp/f')[0] == 'tmp/f: ENOENT'


@both
def test_top(arch):
    with shell(arch, 2) as m:
        m.expect(PROMPT)
        m.send('stress -t 600 -n 1 memory &\n')
        m.expect(PROMPT)
        m.send('top -d 0.5\n')
        # The busiest one is first, and uses most of a CPU.
        m.expect(r'CPU% COMMAND\x1b\[K\r\n +\d+ +\d+ R .* +'
                 r'([3-9]\d|1\d\d) stress\x1b', 30)
        m.expect(r'mem KiB: \d+ total, \d+ used, \d+ free')
        m.expect(r'up \d+ s, \d+ processes, \d+ running')
        m.send('q')
        m.expect(PROMPT)
        assert status(m) == '0'
        m.send('kill %1; wait\n')
        m.expect(PROMPT)
        text = lines_of(m, 'top -n 1 | cat')
        assert text[0].startswith('up ') and not re.search('\x1b', str(text))


# Of "first" and "second", after that.
TEXT = ['the second', 'first line', 'end']


@both
def test_session(arch, image):      # noqa: F811
    swapping = {'args': {'ram1': '24m', 'swap': 'ram1'}, 'mem': '64M'}
    with machine(arch, image, **swapping) as m:
        m.expect(PROMPT)
        lines_of(m, 'mkdir d; echo first >d/a; echo second >>d/a')
        edit(m, 'd/a', END + ' line' + DOWN + HOME + 'the ' + '\x7f' +
             ' ' + ctrl('S'), 'saved 2 lines')
        m.send(ctrl('F') + 'line\r' + ctrl('K') + END + '\r' + ctrl('U') +
               'end' + ctrl('S'))
        m.expect('saved 3 lines')
        leave(m)
        edit(m, 'd/new', 'made here' + ctrl('S'), 'saved 1 lines')
        leave(m)
        lines_of(m, 'cp d/a d/b; ln d/new d/linked; '
                 'cp /test/files/big d; mv d/big d/big2')
        press(m, 'sleep 1000', 'Z')
        m.expect('Stopped')
        m.expect(PROMPT)
        m.send('kill %1; wait %1; echo "killed $?"\n')
        m.expect('killed 143')
        m.expect(PROMPT)
        lines_of(m, '/test/swap fork_shares_slots', 60)
        outs = [x for x in lines_of(m, 'vmstat') if 'swap_outs' in x]
        assert outs and int(outs[0].split()[1]) > 0
        m.send('reboot\n')
        while not m.over():
            m.pump(0.25)
        assert m.end[0] == 'stopped', m.end
        assert '# panic' not in m.console.text()
    code, text = fsck(image)
    assert code == 0, text
    with machine(arch, image) as m:
        m.expect(PROMPT)
        assert lines_of(m, 'cat d/a') == \
            lines_of(m, 'cat d/b') == TEXT
        assert lines_of(m, 'cat d/new d/linked') == \
            ['made here', 'made here']
        assert lines_of(m, 'wc d/big2')[0].split()[2] == str(1 << 20)
        assert sorted(lines_of(m, 'ls d')) == \
            ['a', 'b', 'big2', 'linked', 'new']
        power_off(m)
    code, text = fsck(image)
    assert code == 0, text
