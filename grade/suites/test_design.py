# SPDX-License-Identifier: MIT
"""A fourth VM design is a folder and one line: the skeleton boots as far as it
can and says what it lacks, and so does a copy of it under another name."""

import os
import re
import shutil
import subprocess
import sys

import pytest

import qemu
from tree import TOP, Tree

ENOSYS = 38


def refusal(arch, vm, **kw):
    """The console of a boot that gets as far as the first program."""
    result = qemu.boot(arch=arch, vm=vm, cpus=2, silence=60,
                       name=f'design-{arch}-{vm}', **kw)
    assert result.outcome == 'panic', result.explain()
    assert result.why == f'cannot run /bin/init: error {ENOSYS}', result.why
    return result.console


@pytest.mark.parametrize('arch', qemu.TESTED)
def test_skeleton_says_what_it_lacks(arch):
    said = refusal(arch, 'null')
    assert 'vm=null: a skeleton that maps nothing' in said
    assert re.search(r'first write its slots map, fault.*add-design\.md', said)
    assert 'vm=null, 2 CPUs' in said        # every layer has started


def test_unknown_design_lists_those_that_exist():
    result = qemu.boot(vm='nonesuch', cpus=1, name='design-none')
    assert result.outcome == 'panic', result.explain()
    assert result.why == 'vm=nonesuch: no such design'
    assert 'there are: classic mach l4 null' in result.console


def add_line(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f'{path}: {old!r}'
    path.write_text(text.replace(old, new))


def begin_design(top, name):
    """The first three steps of docs/howto/add-design.md."""
    folder = top / 'kern/vm' / name
    shutil.copytree(top / 'kern/vm/null', folder)
    (folder / 'null.c').rename(folder / f'{name}.c')
    for path in folder.iterdir():
        path.write_text(path.read_text().replace('null', name))
    add_line(top / 'kern/vm/design.c', '\tX(l4)\n',
             f'\tX(l4)\t   \\\n\tX({name})\n')
    add_line(top / 'kern/files.mk', '\tkern/vm/null/null.c\n',
             f'\tkern/vm/null/null.c \\\n\tkern/vm/{name}/{name}.c\n')
    rules = top / 'grade/check/layers.rules'
    add_line(rules, '| vm/null/', f'| vm/null/ | vm/{name}/')
    add_line(rules, 'l4_ops classic_ops', f'l4_ops classic_ops {name}_ops')


def test_a_copy_of_the_skeleton_is_a_design(tmp_path):
    """The steps as the howto gives them, in a copy of the tree with its
    objects: it builds, keeps the rules, and boots."""
    top, arch = tmp_path / 'tree', qemu.TESTED[0]
    for name in Tree().names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, top / name)
    objects = f'build/{arch}/debug'
    shutil.copytree(TOP / objects, top / objects)
    begin_design(top, 'flat')

    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    done = subprocess.run(['make', 'kernel', f'ARCH={arch}', 'DEBUG=1'],
                          cwd=top, env=env, text=True,
                          timeout=600 * qemu.TIMESCALE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert 'kern/vm/flat/flat.o' in done.stdout
    rules = subprocess.run(
        [sys.executable, 'grade/check/run.py', 'layers', 'symbols'], cwd=top,
        env={**env, 'ARCH': arch}, capture_output=True, text=True,
        timeout=600 * qemu.TIMESCALE)
    assert rules.returncode == 0, rules.stdout

    said = refusal(arch, 'flat', kernel=top / objects / 'tern.elf',
                   initrd=TOP / f'build/{arch}/root.img')
    assert 'vm=flat: a skeleton that maps nothing' in said
