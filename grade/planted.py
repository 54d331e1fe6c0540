# SPDX-License-Identifier: MIT
"""make planted-os: kernels with a planted bug, which tests in the OS must find.

usage: planted.py [NAME...]

A planted bug is a patch in grade/planted/.  Its first lines say what it is:

    Test: GROUP[.TEST]        what must find it
    Finds: REGEX              what the failure must say
    Why: one sentence
    Arch: riscv x86_64        where, one boot each (default riscv)
    Vm: classic | mach | l4   with which design (default classic)
    Cpus: N                   (default 1)
    Args: key=value ...       further boot arguments

The mutants of the litmus tests on the host (kern/vm/test/mutants) are tried too,
on both machines: those name with "OS:" the test in the OS that must find them,
or say with "Hidden:" why QEMU cannot show them.

A patch is applied to a copy of the kernel in build/planted/NAME; only what it
changes is compiled again.  A patch that does not apply is an error.  Found
means: the run of the changed kernel fails, and says what Finds names.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import qemu

PATCHES = pathlib.Path(__file__).resolve().parent / 'planted'
LITMUS = qemu.TOP / 'kern' / 'vm' / 'test' / 'mutants'
WORK = qemu.BUILD / 'planted'
KEYS = ('Test', 'Finds', 'Why', 'Arch', 'Vm', 'Cpus', 'Args', 'OS', 'Hidden')
# What the Makefile includes, beside kern/.
MAKEFILES = ['Makefile', *(str(p.relative_to(qemu.TOP)) for p in
                           (*qemu.TOP.glob('grade/**/*.mk'),
                            *qemu.TOP.glob('user/**/*.mk')))]


def header(patch):
    """The 'Key: value' lines before the first hunk."""
    fields = {'Arch': 'riscv', 'Vm': 'classic', 'Cpus': '1', 'Args': ''}
    for line in patch.read_text().splitlines():
        if line.startswith('--- '):
            break
        key, _, value = line.partition(':')
        if line.strip() and key not in KEYS:
            raise ValueError(f'{patch.name}: "{key}" means nothing')
        fields[key] = value.strip()
    if patch.parent == LITMUS:
        if ('OS' in fields) == ('Hidden' in fields):
            raise ValueError(f'{patch.name}: either "OS:" or "Hidden:"')
        fields['Test'] = fields.get('OS', '')
        fields['Arch'] = ' '.join(qemu.TESTED)
    return fields


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}: {done.stdout[-1000:]}')


def build(patch, arch):
    """The changed kernel, made from the objects of the unchanged one."""
    work = WORK / patch.stem
    objects = f'build/{arch}/debug'
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(qemu.TOP / 'kern', work / 'kern')
    shutil.copytree(qemu.TOP / objects, work / objects)
    for name in MAKEFILES:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(qemu.TOP / name, work / name)
    run(['patch', '-p1', '-s', '--fuzz=0', '-i', str(patch)], work)
    kernel = f'{objects}/tern.elf'
    environment = {k: v for k, v in os.environ.items()
                   if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    done = subprocess.run(['make', f'ARCH={arch}', 'DEBUG=1', kernel],
                          cwd=work, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f'does not compile: {done.stdout[-1000:]}')
    return work / kernel


def try_one(patch, fields, arch):
    row = {'mutant': patch.stem, 'arch': arch, 'test': fields['Test'],
           'found': False, 'seconds': 0.0, 'by': ''}
    try:
        args = {'test': fields['Test'],
                **dict(w.split('=', 1) for w in fields['Args'].split())}
        result = qemu.Machine(qemu.Config(
            arch=arch, vm=fields['Vm'], cpus=int(fields['Cpus']),
            kernel=build(patch, arch), args=args,
            initrd=qemu.BUILD / arch / 'root.img',
            silence=60, total=300, name=f'planted-{patch.stem}')).run()
        said = result.explain()
        row['seconds'] = round(result.seconds, 1)
        match = re.search(fields['Finds'], said)
        row['found'] = not result.passed and match is not None
        row['by'] = match[0] if match else said[:300]
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        row['by'] = str(error)
    if row['found']:
        shutil.rmtree(WORK / patch.stem, ignore_errors=True)
    return row


def main():
    names = sys.argv[1:]
    patches = [(p, header(p)) for folder in (PATCHES, LITMUS)
               for p in sorted(folder.glob('*.patch'))
               if not names or p.stem in names]
    rows = []
    for patch, fields in patches:
        if 'Hidden' in fields:
            print(f"{'-':24} {patch.stem:28} hidden: {fields['Hidden']}")
            continue
        for arch in fields['Arch'].split():
            row = try_one(patch, fields, arch)
            rows.append(row)
            print(f"{row['test']:24} {row['mutant']:28} {arch:6} "
                  f"{'found' if row['found'] else 'NOT FOUND'}, "
                  f"{row['seconds']} s: {row['by'][:200]}", flush=True)
    found = sum(r['found'] for r in rows)
    print(f'{found} of {len(rows)} planted bugs found')
    ok = found == len(rows) and found > 0
    if not names:
        (qemu.BUILD / 'planted-os.json').write_text(json.dumps(
            {'kind': 'planted-os', 'passed': ok, 'mutants': len(rows),
             'found': found, 'rows': rows}, indent=1) + '\n')
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())
