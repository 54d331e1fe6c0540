# SPDX-License-Identifier: MIT
"""make demo: boot Tern on 4 CPUs, run its own tests, print its benchmarks."""

import os
import sys
import time

import bench
import matrix
import qemu


def shell():
    """A minute at the prompt; returns how long the boot took."""
    config = qemu.Config(name='demo-shell', cpus=4)
    born = time.monotonic()
    with qemu.Machine(config, on_console=None) as machine:
        machine.expect(r'\$ ', timeout=30)
        seconds = time.monotonic() - born
        start = machine.console.data.rfind(b'\n') + 1
        for command in ('uname -a', 'ls /', 'echo one two | wc', 'ps',
                        'maps'):
            machine.send(command + '\n')
            machine.expect(r'\$ ', timeout=20)
        text = machine.console.text()[start:].replace('\r', '')
    print(text.rsplit('\n', 1)[0])
    return seconds


def tests():
    """Every group once, in the design that it is about; returns (checks,
    failed groups)."""
    total, bad = 0, []
    for group in matrix.GROUPS:
        vm = {'mach': 'mach', 'l4': 'l4'}.get(group, 'classic')
        row = {**{axis: values[0] for axis, values in matrix.AXES.items()},
               'group': group, 'arch': qemu.ARCH, 'vm': vm, 'cpus': 4}
        config = matrix.config_of(row)
        config.name = f'demo-{group}'
        result = qemu.Machine(config).run()
        checks, skipped = result.record.counts()['checks'], sum(
            p.skip and p.leaf for p in result.record.points)
        total += checks
        print(f"{'ok' if result.passed else 'FAIL':5}{group:12} {vm:8}"
              f'{checks:4} passed {skipped:3} skipped {result.seconds:6.1f} s',
              flush=True)
        if not result.passed:
            bad.append(group)
            print(result.explain())
    return total, bad


def main():
    os.environ.update(CPUS='1')
    print(f'--- a shell on 4 emulated {qemu.ARCH} CPUs')
    seconds = shell()
    print(f'--- booted in {seconds:.2f} s; now the tests, one boot a group')
    checks, bad = tests()
    print(f'--- {checks} checks, {len(bad)} groups failed; now the benchmarks '
          '(guest instructions)')
    result, _ = bench.run()
    return 1 if bad or not result.passed else 0


if __name__ == '__main__':
    sys.exit(main())
