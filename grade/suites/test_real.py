# SPDX-License-Identifier: MIT
"""Programs that know nothing of Tern: the same files run on Linux and here.

What user/real/rules.mk builds (static, with glibc and musl) runs on this host
first, natively or below user-mode emulation, then in Tern on a virtio disk.
Output and exit status must be the same, to the byte, and the disk clean.
"""

import os
import shutil
import subprocess
import sys

import pytest

import qemu
import torture
from test_disk import fsck, machine, power_off

REAL = qemu.BUILD / 'real'
SOURCES = qemu.TOP / 'user' / 'real'
KINDS = [f'{a}-{lib}' for a in qemu.TESTED
         for lib in (['glibc', 'musl'] if a == 'x86_64' else ['glibc'])]
EMULATOR = {'riscv': 'qemu-riscv64', 'x86_64': 'qemu-x86_64'}
ENV = {'PATH': '/bin:/usr/bin', 'GREETING': 'good day', 'TZ': 'UTC0'}

# Arguments, and the status with which it ends when all went well: a program
# that gives up in the same way on both systems has not passed.
PROGRAMS = {
    'hello': ('input.txt', 42),
    'threads': ('', 3),
    'heap': ('', 5),
    'files': ('', 6),
    'lua': ('work.lua', 9),
}


def missing(kind, program):
    """Why there is nothing to run; None if there is."""
    if (REAL / kind / program).exists():
        return None
    if kind.endswith('musl') and not shutil.which('musl-gcc'):
        return 'no musl-gcc'
    if kind.endswith('musl') and os.uname().machine != 'x86_64':
        return 'this musl-gcc makes no x86-64 programs'
    if program == 'lua' and not (qemu.TOP / '.cache/lua/src/lua.c').exists():
        return 'no source of Lua'
    pytest.fail(f'{kind}/{program} is not built: run `make real` first')


def need(kind, programs):
    for program in programs:
        if why := missing(kind, program):
            pytest.skip(f'not run: {why}: `sh grade/setup.sh --real`')


def fill(folder, kind, programs):
    """What the programs find in their working folder."""
    folder.mkdir()
    for program in programs:
        shutil.copy(REAL / kind / program, folder)
    shutil.copy(SOURCES / 'work.lua', folder)
    (folder / 'input.txt').write_text('hello, world\nsecond line\n')


def run_on_linux(folder, kind, program):
    """(status, output) of the same file on this host."""
    arch, args = kind.split('-')[0], PROGRAMS[program][0].split()
    emulator = [] if arch == os.uname().machine else [EMULATOR[arch]]
    done = subprocess.run(
        [*emulator, f'./{program}', *args], cwd=folder, env=ENV,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60 * qemu.TIMESCALE)
    return done.returncode, done.stdout


def script(programs):
    """Runs them in Tern's shell, each one's output and status to a file."""
    lines = ['cd /real']
    for program in programs:
        words = ' '.join(f"{k}='{v}'" for k, v in ENV.items())
        lines += [f'{words} ./{program} {PROGRAMS[program][0]} '
                  f'</dev/null >{program}.out 2>&1',
                  f'echo $? >{program}.status', f'echo {program} has ended']
    return '\n'.join(lines) + '\n'


def run_in_tern(tmp_path, kind, vm, programs):
    """{program: (status, output)} and what they left in their folder, read
    back from the disk."""
    arch = kind.split('-')[0]
    stage, image = tmp_path / 'root', tmp_path / 'disk.img'
    shutil.copytree(qemu.BUILD / arch / 'root' / 'bin', stage / 'bin',
                    symlinks=True)
    fill(stage / 'real', kind, programs)
    (stage / 'real' / 'run').write_text(script(programs))
    torture.mkroot.make_image(stage, image)
    with machine(arch, image, vm=vm, cpus=4, silence=120,
                 name=f'real-{kind}-{vm}') as m:
        m.expect(r'\$ ')
        m.send('sh /real/run\n')
        for program in programs:
            m.expect(f'{program} has ended', timeout=90)
        m.expect(r'\$ ')
        power_off(m)
    status, text = fsck(image)
    assert status == 0, text
    torture.run('debugfs', '-R', f'rdump real {tmp_path}', str(image))
    real = tmp_path / 'real'
    left = {p.name for p in real.iterdir()} - \
        {p.name for p in (stage / 'real').iterdir()} - \
        {f'{p}.{s}' for p in programs for s in ('out', 'status')}
    return {p: (int((real / f'{p}.status').read_text()),
                (real / f'{p}.out').read_bytes()) for p in programs}, left


def agree(got, want):
    """The text first: that message tells most."""
    for program, (status, output) in want.items():
        said = got[program][1].decode(errors='replace').splitlines()
        assert said == output.decode(errors='replace').splitlines(), program
        assert got[program] == (status, output), program


def compare(tmp_path, kind, vm, programs):
    need(kind, programs)
    fill(tmp_path / 'linux', kind, programs)
    want = {p: run_on_linux(tmp_path / 'linux', kind, p) for p in programs}
    for program, (status, output) in want.items():
        assert status == PROGRAMS[program][1], output.decode()
    got, left = run_in_tern(tmp_path, kind, vm, programs)
    agree(got, want)
    assert not left, 'files that nobody removed'


each = [pytest.mark.parametrize('vm', ['classic', 'mach', 'l4']),
        pytest.mark.parametrize('kind', KINDS)]


def rows(test):
    for mark in each:
        test = mark(test)
    return test


@rows
def test_programs(tmp_path, kind, vm):
    """Greetings, threads, memory, files."""
    compare(tmp_path, kind, vm, ['hello', 'threads', 'heap', 'files'])


@rows
def test_lua(tmp_path, kind, vm):
    """Lua works through its script: garbage, coroutines, files, processes."""
    compare(tmp_path, kind, vm, ['lua'])


def mkroot(tmp_path, arch, *extra):
    user = qemu.BUILD / arch / 'user' / 'bin'
    return torture.run(
        sys.executable, str(qemu.TOP / 'user/mkroot.py'),
        str(tmp_path / 'root'), '--image', str(tmp_path / 'root.img'),
        '--bin', str(user / 'sh'), str(user / 'true'), '--machine', arch,
        '--extra', *map(str, extra))


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_extra_files(tmp_path, arch):
    """make EXTRA=...: programs as they are, files, folders; more than fits
    into the usual image."""
    program = REAL / f'{arch}-glibc' / 'hello'
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'big').write_bytes(bytes(range(256)) * (80 << 10))
    (tmp_path / 'note').write_text('a note\n')
    done = mkroot(tmp_path, arch, program, tmp_path / 'note',
                  tmp_path / 'data')
    assert done.returncode == 0, done.stdout
    image = tmp_path / 'root.img'
    assert fsck(image)[0] == 0
    for path, source in (('bin/hello', program), ('extra/note', tmp_path /
                         'note'), ('extra/data/big', tmp_path / 'data/big')):
        torture.run('debugfs', '-R', f'dump {path} {tmp_path}/got', str(image))
        assert (tmp_path / 'got').read_bytes() == source.read_bytes(), path
    assert list(tmp_path.glob('root.*')) == [image]


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_extra_that_cannot_run(tmp_path, arch):
    """Told when the image is made, and no image is left."""
    other = {'riscv': 'x86_64', 'x86_64': 'riscv'}[arch]
    hello = qemu.TOP / 'user/test/hello-glibc.c'
    dynamic = tmp_path / 'dynamic'
    cross = qemu.ARCHES[arch].cross
    done = torture.run(f'{cross}gcc', '-o', str(dynamic), str(hello), '-lm')
    assert done.returncode == 0, done.stdout
    done = torture.run(f'{cross}gcc', '-c', '-o', f'{dynamic}.o', str(hello))
    assert done.returncode == 0, done.stdout
    for path, why in (
            (REAL / f'{other}-glibc/hello', f'another machine than {arch}'),
            (dynamic, 'needs a dynamic linker'), (f'{dynamic}.o', 'not linked'),
            (qemu.BUILD / arch / 'user/bin/sh', 'has a file of this name')):
        done = mkroot(tmp_path, arch, path)
        assert done.returncode == 1 and why in done.stdout, done.stdout
        assert list(tmp_path.glob('root*')) == []


def test_differences_are_seen():
    want = {'hello': (42, b'hello\n')}
    agree({'hello': (42, b'hello\n')}, want)
    for other in (42, b'hell\n'), (42, b'hello'), (1, b'hello\n'), (42, b''):
        with pytest.raises(AssertionError):
            agree({'hello': other}, want)
