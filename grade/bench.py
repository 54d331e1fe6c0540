# SPDX-License-Identifier: MIT
"""make bench: guest instructions per operation, next to targets and peers.

Boots the release kernel with bench=all where one instruction is one tick of
the clock.  /bin/bench writes `bench NAME N MIN MEDIAN P90 MAX` lines on the
results channel.  Prints a table and writes build/bench/ARCH-VM-CPUS.json in
the format of Google Benchmark: real_time is the median in guest instructions.
Paging is measured in boots of its own, with little memory and a swap device:
the RAM disk, then a virtio disk, whose answers come at the host's pace, so that
its numbers differ a little from run to run.
What other running threads of the space add to mprotect is measured in one more
boot, with 5 CPUs in the lane `turns`: there the counter is that of all CPUs, and
the k + 1 that run have executed as much each.  On RISC-V in two: the firmware
sends the interrupts, or (names with _aclint) the kernel does.

usage: bench.py [NAME]           settings from ARCH VM CPUS
"""

import datetime
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time

import qemu

# arch, name: target, Linux 6.1, xv6-riscv (measured on the same emulator);
# of fork_4096p Linux's number is the slope of fork, exit and wait together.
ROWS = {
    'riscv': {
        'getpid': (80, 167, 1128),
        'first_touch_write': (900, 1783, 25758),
        'cow_copy': (1600, 2778, None),
        'cow_last_owner': (400, 822, None),
        'mmap_touch_munmap_1p': (2200, 13590, None),
        'mprotect_1p': (500, 2156, None),
        'munmap_1024p_per_page': (100, 616, None),
        'pipe_roundtrip': (2500, 7430, 95770),
        'fork_exit_wait': (15000, 77030, 610175),
        'fork_exec_wait': (40000, 152488, 1528022),
        'read_4k_cached': (1400, 2552, None),
        'write_4k_cached': (None, None, None),
        'file_private_read': (500, 1237, None),
        'file_private_write': (None, 3592, None),
        'file_shared_write': (600, 1410, None),
        'fork_4096p': (45, 267, None),
    },
    'x86_64': {
        'getpid': (90, 184, None),
        'first_touch_write': (900, 1652, None),
        'cow_copy': (1000, 2065, None),
        'cow_last_owner': (400, 830, None),
        'mmap_touch_munmap_1p': (2200, 12526, None),
        'mprotect_1p': (500, 2058, None),
        'munmap_1024p_per_page': (100, 581, None),
        'pipe_roundtrip': (2500, 6329, None),
        'fork_exit_wait': (15000, 72200, None),
        'fork_exec_wait': (40000, 140850, None),
        'read_4k_cached': (None, 1454, None),
        'write_4k_cached': (None, None, None),
        'file_private_read': (None, 1263, None),
        'file_private_write': (None, 2745, None),
        'file_shared_write': (None, 1384, None),
        'fork_4096p': (None, 295, None),
    },
}
# Where pages go: suffix of the names, boot arguments.
SWAP = {'ram': {'ram1': '24m', 'swap': 'ram1'}, 'virtio': {'swap': 'vda'}}
SWAP_ROWS = {f'{name}_{device}': (None, None, None)
             for device in SWAP for name in ('page_in', 'page_out')}
SWAP_DESIGNS = ('classic',)     # those that page out
# mprotect of one page with k other threads running, by CPU; what the first of
# them adds, and each further one: target, Linux 6.1 measured in this way.
SMP_CPUS = 5
SMP_HOW = ('mprotect_1p_k*: with k other threads running, by CPU; 5 CPUs, '
           'lane turns (125 instructions), tick=10ms; *_aclint: interrupts '
           'without the firmware')
SMP_UNIT = 8                    # ns of the counter an instruction
SMP_PEERS = {'riscv': (2005, 4272, 5621, 7114, 8507),
             'x86_64': (2017, 2498, 2624, 2749, 2749)}
SMP_NEXT = 80
# Suffix of the names: option of the machine, target of the first; without a
# suffix the machine that Linux ran on.
SMP_MACHINES = {'riscv': {'': ('', 900), '_aclint': ('aclint=on', 500)},
                'x86_64': {'': ('', 350)}}


def smp_rows(arch):
    rows = {}
    for suffix, (_, first) in SMP_MACHINES[arch].items():
        linux = SMP_PEERS[arch] if not suffix else (None,) * SMP_CPUS
        for k, n in enumerate(linux):
            rows[f'mprotect_1p_k{k}{suffix}'] = (None, n, None)
        added = (None, None) if suffix else (
            linux[1] - linux[0],
            round((linux[-1] - linux[1]) / (SMP_CPUS - 2)))
        rows[f'mprotect_1p_first{suffix}'] = (first, added[0], None)
        rows[f'mprotect_1p_further{suffix}'] = (SMP_NEXT, added[1], None)
    return rows


for _arch, _rows in ROWS.items():
    _rows.update(SWAP_ROWS)
    _rows.update(smp_rows(_arch))

# What only one design has; it is measured nowhere else.
DESIGN_ROWS = {
    'l4': {
        'l4_ipc_roundtrip': (450, None, None),
        'l4_map_1p': (900, None, None),
        'l4_unmap_1_child': (700, None, None),
        'l4_unmap_per_child': (None, None, None),
        'l4_pager_fault': (1200, None, None),
    },
}


def rows_of(arch, vm):
    return {**ROWS[arch], **DESIGN_ROWS.get(vm, {})}


def table(lines, out=print, arch='riscv', vm='classic'):
    """Print the table; returns the names that miss their target."""
    targets = rows_of(arch, vm)
    out(f"{'operation':28}{'N':>6}{'min':>10}{'median':>10}{'p90':>10}"
        f"{'target':>9}{'Linux':>9}{'xv6':>10}")
    over = []
    for name, n, low, median, p90, _ in lines:
        target, linux, xv6 = targets.get(name, (None, None, None))
        miss = target is not None and median > target
        over += [name] * miss
        cells = [f'{x:,}' if x is not None else '-'
                 for x in (target, linux, xv6)]
        out(f'{name:28}{n:6}{low:10,}{median:10,}{p90:10,}'
            f'{cells[0]:>9}{cells[1]:>9}{cells[2]:>10}'
            f"{'  over target' if miss else ''}")
    return over


def google_json(config, lines):
    rows = []
    for name, n, low, median, p90, high in lines:
        beside = name.startswith('mprotect_1p_')
        rows.append({
            'name': name, 'run_name': name, 'run_type': 'iteration',
            'repetitions': n, 'threads': 1, 'iterations': n,
            **({'label': SMP_HOW} if beside else {}),
            'real_time': median, 'cpu_time': median, 'time_unit': 'ns',
            'min': low, 'p90': p90, 'max': high})
    return {
        'context': {
            'date': datetime.datetime.now(datetime.timezone.utc)
            .isoformat(timespec='seconds'),
            'host_name': f'{config.arch}-{config.vm}',
            'executable': '/bin/bench', 'num_cpus': config.cpus,
            'mhz_per_cpu': 1000, 'cpu_scaling_enabled': False, 'caches': [],
            'library_build_type': 'release',
            'unit': 'guest instructions (1 instruction = 1 ns virtual)',
            'host': platform.machine()},
        'benchmarks': rows}


def config_of(name, **more):
    config = qemu.Config(
        vm=os.environ.get('VM', 'classic'),
        cpus=int(os.environ.get('CPUS', '1')), debug=False, lane='bench',
        silence=120, total=600, name=f'bench-{name}', **more)
    config.args['bench'] = name
    if config.cpus > 1:
        config.lane = 'icount'
    return config


def run_swap(device):
    """Paging to one device.  Returns (Result, lines with its names)."""
    with tempfile.NamedTemporaryFile(prefix='tern-swap-') as disk:
        disk.truncate(24 << 20)
        config = config_of(
            'swap', mem='64M', args=dict(SWAP[device]),
            extra=() if device == 'ram' else
            ('-drive', f'if=none,format=raw,id=swap,file={disk.name}',
             '-device', 'virtio-blk-pci,drive=swap'))
        result = qemu.Machine(config).run()
    return result, [(f'{name}_{device}', *row)
                    for name, *row in result.record.bench]


def smp_lines(lines):
    """What one CPU has executed, and the differences of the medians."""
    rows = []
    for name, n, *values in lines:
        running = int(name.rpartition('_k')[2]) + 1
        rows.append((name, n, *(v // (SMP_UNIT * running) for v in values)))
    if len(rows) == SMP_CPUS:
        zero, one, *_, last = [row[3] for row in rows]
        for name, added in (('first', one - zero),
                            ('further', round((last - one) / (SMP_CPUS - 2)))):
            rows.append((f'mprotect_1p_{name}', rows[0][1], *[added] * 4))
    return rows


def run_smp():
    """With other threads of the space running.  Returns (Result, lines)."""
    lines = []
    for suffix, (machine, _) in SMP_MACHINES[qemu.ARCH].items():
        config = config_of('smp')
        config.cpus, config.lane = SMP_CPUS, 'turns'
        config.machine = machine
        config.args['tick'] = '10ms'
        result = qemu.Machine(config).run()
        lines += [(name + suffix, *row)
                  for name, *row in smp_lines(result.record.bench)]
        if not result.passed:
            break
    return result, lines


def measure(name):
    """All boots.  Returns (the Result that failed, or the last one, lines)."""
    if name in SWAP_ROWS:
        result, lines = run_swap(name.rpartition('_')[2])
        return result, [row for row in lines if row[0] == name]
    if name == 'smp' or name in smp_rows(qemu.ARCH):
        result, lines = run_smp()
        return result, [row for row in lines if name in ('smp', row[0])]
    config = config_of(name)
    result = qemu.Machine(config).run()
    lines = list(result.record.bench)
    if name == 'all' and config.vm in SWAP_DESIGNS:
        for device in SWAP:
            if not result.passed:
                break
            result, more = run_swap(device)
            lines += more
    if name == 'all' and result.passed:
        result, more = run_smp()
        lines += more
    return result, lines


def run(name='all', out=print):
    """Boot, print, save.  Returns (Result, lines over target)."""
    config = config_of(name)
    if config.cpus > 1:
        out('with several CPUs the counter is global: medians are not exact')
    result, lines = measure(name)
    over = table(lines, out, config.arch, config.vm)
    if any(row[0] in smp_rows(config.arch) for row in lines):
        out(SMP_HOW)
    if not result.passed:
        out(result.explain())
        return result, over
    if name == 'all':
        path = qemu.BUILD / 'bench' / \
            f'{config.arch}-{config.vm}-{config.cpus}.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(google_json(config, lines), indent=1))
        want = {row: peers for row, peers in rows_of(config.arch, config.vm).items()
                if row not in SWAP_ROWS or
                config.vm in SWAP_DESIGNS}
        missing = [n for n in want if n not in {row[0] for row in lines}]
        targets = [n for n, peers in want.items() if peers[0] is not None]
        met = [n for n in targets if n not in over + missing]
        out(f'{len(met)} of {len(targets)} targets met; '
            f'{os.path.relpath(path)}')
        if missing:
            result.outcome = 'incomplete'
            result.why = 'not measured: ' + ' '.join(missing)
            out(result.explain())
    return result, over


def boot_time(repeat=5, cpus=4):
    """Median seconds from the start of the emulator to the shell's prompt, and
    what of them the firmware and the emulator take; a busy host adds to it."""
    whole, kernel = [], []
    for _ in range(repeat):
        config = qemu.Config(cpus=cpus, debug=False, name='boot-time')
        start = time.monotonic()
        with qemu.Machine(config) as machine:
            machine.expect(r'Tern: \d+ CPUs', timeout=30)
            first = time.monotonic()
            machine.expect(r'\$ ', timeout=30)
            whole.append(time.monotonic() - start)
            kernel.append(time.monotonic() - first)
    report = {'kind': 'boot', 'cpus': cpus, 'repetitions': repeat,
              'seconds': round(statistics.median(whole), 2),
              'fastest': round(min(whole), 2),
              'kernel to prompt': round(statistics.median(kernel), 2),
              'target': 1.0, 'met': statistics.median(whole) < 1,
              'load of the host': round(os.getloadavg()[0], 1)}
    (qemu.BUILD / 'boot.json').write_text(json.dumps(report, indent=1))
    return report


# usertests -q of xv6-riscv, one CPU, and how many cases that is.
XV6_SUITE = (45, 66)


def suite_time():
    """Seconds of the host for all tests in the OS in one boot, on a machine
    like xv6's: one CPU, 128 MiB."""
    config = qemu.Config(cpus=1, debug=False, mem='128M', name='suite-time',
                         args={'test': 'all'}, silence=120, total=600)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = qemu.Machine(config).run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, cases = XV6_SUITE
    ran = result.record.counts()['checks']
    report = {'kind': 'suite', 'passed': result.passed, 'cases': ran,
              'seconds': round(result.seconds, 1),
              'seconds of a CPU': round(after.ru_utime + after.ru_stime -
                                        before.ru_utime - before.ru_stime, 1),
              'xv6': f'{cases} cases, {seconds} s',
              'target': seconds / 4,
              'met': result.passed and ran >= cases and
              result.seconds <= seconds / 4,
              'load of the host': round(os.getloadavg()[0], 1)}
    (qemu.BUILD / 'suite.json').write_text(json.dumps(report, indent=1))
    print(f"all tests of the OS in one boot: {report['cases']} cases, "
          f"{report['seconds']} s, {report['seconds of a CPU']} s of a CPU "
          f"(target {report['target']} s: a quarter of xv6's {report['xv6']})")
    return result


def main():
    result, _ = run(*sys.argv[1:2])
    if result.passed and len(sys.argv) == 1:
        boot = boot_time()
        print(f"boot to the prompt: {boot['seconds']} s, fastest "
              f"{boot['fastest']} s (median of {boot['repetitions']}, "
              f"{boot['cpus']} CPUs, target 1 s; host load "
              f"{boot['load of the host']})")
        if (qemu.ARCH, config_of('all').vm) == ('riscv', 'classic'):
            result = suite_time()       # as xv6 was measured
            if not result.passed:
                print(result.explain())
    return 0 if result.passed else 1


if __name__ == '__main__':
    sys.exit(main())
