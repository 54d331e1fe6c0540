# SPDX-License-Identifier: MIT
"""Every header compiles alone, with the flags of its port.

The Makefile passes the flags as CHECK_CC, CHECK_KFLAGS (kernel) and
CHECK_UFLAGS (user); without them plain ones are used.
"""

import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess

from tree import Finding

PLAIN = '-std=gnu11 -Wall -Wextra -ffreestanding -Ikern'


def command(tree, name):
    """How to compile one header, or None when it is for another machine."""
    arch = os.environ.get('ARCH', 'riscv')
    cross = shlex.split(os.environ.get('CHECK_CC', 'riscv64-linux-gnu-gcc'))
    kernel = shlex.split(os.environ.get(
        'CHECK_KFLAGS', f'{PLAIN} -Ikern/arch/{arch}'))
    user = shlex.split(os.environ.get('CHECK_UFLAGS', ''))
    if m := re.match(r'kern/(arch/(\w+)/|vm/test/)', name):
        port = m[2] or 'host'
        if port == 'host':
            compiler = ['gcc', *shlex.split(PLAIN), '-Ikern/arch/host']
        elif port == arch:
            compiler = cross + kernel
        else:
            return None
        # A machine/ header is only read through its contract.
        through = ['-include', 'arch/cpu.h'] if '/machine/' in name else []
        return compiler + through
    if name.startswith('kern/'):
        return cross + kernel
    if not user or f'/{arch}/' not in name and re.search(
            r'/(riscv|x86_64|host)/', name):
        return None
    return cross + user


def compile_alone(tree, name):
    cmd = command(tree, name)
    if cmd is None or not shutil.which(cmd[0]):
        return None
    drop = {'-MMD', '-MP', '-c'}
    cmd = [w for w in cmd if w not in drop and not w.startswith('-W')]
    # A header with only macros and inline functions is an empty unit: fine.
    cmd += ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
            '-fsyntax-only', '-x', 'c', '-include', name, '/dev/null']
    done = subprocess.run(cmd, cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    for line in done.stderr.splitlines():
        m = re.match(r'([^:]+):(\d+):\d+: (?:fatal )?error: (.*)', line)
        if m:
            return Finding(name, int(m[2]) if m[1] == name else 1, 'headers',
                           f'does not compile alone: {m[3]}')
    return Finding(name, 1, 'headers', done.stderr.strip()[:200])


def check(tree):
    names = [n for n in tree.files('.h')
             if n.startswith(('kern/', 'user/'))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda n: compile_alone(tree, n), names):
            if found:
                yield found
