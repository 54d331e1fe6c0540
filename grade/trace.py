# SPDX-License-Identifier: MIT
"""Where the instructions of an operation go: `make trace NAME=cow_copy`.

Boots the release kernel with one benchmark, lets QEMU log every instruction
(-singlestep -d exec,nochain) into a pipe, and folds the log into operations:
what the kernel executed between two user instructions, by function.  The
operations seen most often are the measured ones.  Writes build/trace/NAME.txt.
A benchmark beside running threads (mprotect_1p_k1) is traced as it is measured,
on several CPUs: one operation of the initiator, one of each target.

usage: trace.py NAME [MINIMUM]     MINIMUM: print rows seen that often (50)
"""

import os
import subprocess
import sys
import tempfile

import bench
import qemu

FOLD = qemu.BUILD / 'host' / 'fold'
# Where it runs, for what it does in the kernel's name.
FIRMWARE = {'riscv': ('80000000', '80200000')}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split('\n\n')[-1].strip())
    name, minimum = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else '50'
    out = qemu.BUILD / 'trace' / f'{name}.txt'
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='tern-trace-') as tmp:
        log, symbols = os.path.join(tmp, 'log'), os.path.join(tmp, 'symbols')
        beside = '_k' in name
        config = qemu.Config(
            vm=os.environ.get('VM', 'classic'), debug=False,
            cpus=bench.SMP_CPUS if beside else 1,
            machine=os.environ.get('MACHINE', ''),
            lane='turns' if beside else 'bench', args={'bench': name},
            silence=600, total=1200, name=f'trace-{name}',
            extra=('-singlestep', '-d', 'exec,nochain', '-D', log))
        if beside:
            config.args['tick'] = '10ms'
        cross = qemu.ARCHES[config.arch].cross
        with open(symbols, 'w') as f:
            subprocess.run([cross + 'nm', config.kernel], stdout=f, check=True)
        os.mkfifo(log)
        with open(out, 'w') as f:
            fold = subprocess.Popen(
                ['sh', '-c', 'log=$1; shift; exec "$0" "$@" < "$log"', FOLD,
                 log, symbols, minimum, *FIRMWARE.get(config.arch, ())],
                stdout=f)
            result = qemu.Machine(config).run()
            fold.wait(60)
    print(out.read_text(), end='')
    if not result.passed:
        print(result.explain())
    return 0 if result.passed else 1


if __name__ == '__main__':
    sys.exit(main())
