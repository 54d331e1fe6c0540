# SPDX-License-Identifier: MIT
"""make planted-os: kernels with a planted bug, which tests in the OS must find.

usage: planted.py [NAME...]

A planted bug is a patch in grade/planted/.  Its first lines say what it is:

    Test: GROUP[.TEST]        what must find it
    Finds: REGEX              what the failure must say
    Why: one sentence
    Arch: riscv | x86_64      where (default riscv)
    Vm: classic | mach | l4   with which design (default classic)
    Cpus: N                   (default 1)
    Args: key=value ...       further boot arguments

It is applied to a copy of the kernel in build/planted/NAME; only what it
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
WORK = qemu.BUILD / 'planted'
KEYS = ('Test', 'Finds', 'Why', 'Arch', 'Vm', 'Cpus', 'Args')
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


def try_one(patch):
    row = {'mutant': patch.stem, 'found': False, 'seconds': 0.0, 'by': ''}
    try:
        fields = header(patch)
        row['test'] = fields['Test']
        args = {'test': fields['Test'],
                **dict(w.split('=', 1) for w in fields['Args'].split())}
        result = qemu.Machine(qemu.Config(
            arch=fields['Arch'], vm=fields['Vm'], cpus=int(fields['Cpus']),
            kernel=build(patch, fields['Arch']), args=args,
            initrd=qemu.BUILD / fields['Arch'] / 'root.img',
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
    patches = [p for p in sorted(PATCHES.glob('*.patch'))
               if not names or p.stem in names]
    rows = []
    for patch in patches:
        row = try_one(patch)
        rows.append(row)
        print(f"{row.get('test', '?'):24} {row['mutant']:28} "
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
