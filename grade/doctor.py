# SPDX-License-Identifier: MIT
"""make doctor: what is installed, whether a machine boots, what to do.

Every line is `ok`, or what is wrong and the one command that repairs it.
"""

import re
import shutil
import subprocess
import sys

import qemu

SETUP = 'run `sh grade/setup.sh`'
TOOLS = [
    ('make', 'make --version'), ('gcc', 'gcc --version'),
    ('clang', 'clang --version'),
    ('clang-format', 'clang-format --version'),
    *((f'{a.cross}gcc', f'{a.cross}gcc --version')
      for a in qemu.ARCHES.values() if a.cross),
    ('gdb-multiarch', 'gdb-multiarch --version'),
    ('mke2fs', 'mke2fs -V'), ('e2fsck', 'e2fsck -V'),
    ('setpriv', 'setpriv --version'), ('spin', 'spin -V'),
    ('qemu-riscv64', 'qemu-riscv64 --version'),
]
problems = 0


def line(good, what, detail, fix=SETUP):
    global problems
    problems += not good
    print(f"{'ok' if good else 'BAD':4} {what:24} {detail}"
          f"{'' if good else ': ' + fix}")


def first_line(command):
    done = subprocess.run(command.split(), capture_output=True, text=True,
                          timeout=20)
    return (done.stdout + done.stderr).split('\n')[0]


def check_tools():
    for name, command in TOOLS:
        found = shutil.which(name)
        line(found, name, first_line(command) if found else 'missing')
    try:
        import pytest
        import xdist
        line(True, 'pytest', f'{pytest.__version__}, xdist '
             f'{xdist.__version__}, {sys.executable}')
    except ImportError as why:
        line(False, 'pytest', str(why))


def check_emulator(name, arch):
    if not shutil.which(arch.qemu):
        line(False, arch.qemu, f'missing ({arch.package})')
        return False
    text = first_line(f'{arch.qemu} --version')
    version = tuple(map(int, re.search(r'version (\d+)\.(\d+)', text).groups()))
    line(version >= arch.smallest, arch.qemu, text,
         'needs %d.%d or newer: use Debian 12 or later' % arch.smallest)
    return version >= arch.smallest


def check_boot(name, arch):
    """The smallest kernel, and the real one if it was built."""
    tiny = qemu.BUILD / 'selftest/pass.elf'
    if name == 'riscv' and shutil.which('make') and \
            shutil.which(arch.cross + 'gcc'):
        subprocess.run(['make', '-s', 'build/selftest/pass.elf'],
                       cwd=qemu.TOP, check=False)
        if not tiny.exists():
            line(False, f'{name} compiler', 'builds nothing', 'run `make V=1`')
            return
        result = qemu.boot(arch=name, kernel=tiny, cpus=2, silence=10)
        line(result.passed, f'{name} machine', result.why,
             f'see {result.artifacts}')
    config = qemu.Config(arch=name, name=f'doctor-{name}')
    if not config.kernel.exists() or not config.initrd.exists():
        line(False, f'{name} kernel', 'not built',
             f'run `make ARCH={name}`')
        return
    with qemu.Machine(config) as machine:
        try:
            machine.expect(r'\$ ', timeout=30)
            line(True, f'{name} kernel', 'boots to a shell on 4 CPUs')
        except TimeoutError as why:
            line(False, f'{name} kernel', str(why)[-300:], f'run `make qemu ARCH={name}`')


def main():
    check_tools()
    for name, arch in qemu.ARCHES.items():
        if check_emulator(name, arch):
            check_boot(name, arch)
    print('all is well' if not problems else
          f'{problems} problem{"s" * (problems > 1)}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
