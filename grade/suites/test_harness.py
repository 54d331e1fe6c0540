# SPDX-License-Identifier: MIT
"""The harness must call each kind of ending by its name.

Every kernel of grade/selftest_kernels boots once; a harness that trusts the
console, an exit code or a half-finished plan fails here.
"""

import os
import re
import signal
import subprocess
import time

import pytest

import ktap
import matrix
import qemu

# kernel, outcome, what `why` must say
ENDINGS = [
    ('pass', 'pass', '2 results'),
    ('panic', 'panic', 'planted'),
    ('panic_early', 'panic', 'no memory'),
    ('late_panic', 'panic', 'busy page'),
    ('hang', 'hang', 'silent'),
    ('spin', 'hang', 'silent'),
    ('lingers', 'hang', 'at its end'),
    ('chatter', 'timeout', 'not done'),
    ('flood', 'flood', 'console'),
    ('flood_results', 'flood', 'results channel'),
    ('reset', 'crash', 'guest-reset'),
    ('exit_code', 'crash', r'status 1|guest-panic'),
    ('lie', 'fail', '1 of 2'),
    ('forged', 'forged', 'on the console'),
    ('silent', 'incomplete', 'no plan'),
    ('midplan', 'incomplete', '2 of 3'),
    ('short_plan', 'incomplete', '2 of 3'),
    ('empty_plan', 'incomplete', 'empty plan'),
    ('long_plan', 'forged', 'more than the 1'),
    ('no_plan', 'forged', 'before the plan'),
    ('two_plans', 'forged', 'second plan'),
    ('numbers', 'forged', 'number 1 where 2'),
    ('late', 'forged', 'after the end'),
    ('subtests', 'forged', 'subtest failed'),
]


def config(name, **kw):
    kw.setdefault('cpus', 2)
    return qemu.Config(arch='riscv',
                       kernel=qemu.BUILD / 'selftest' / f'{name}.elf',
                       name=f'selftest-{name}', silence=5, total=9,
                       grace=3, flood=65536, **kw)


@pytest.mark.parametrize('name,outcome,why', ENDINGS)
def test_ending(name, outcome, why):
    result = qemu.Machine(config(name)).run()
    assert result.outcome == outcome, result.explain()
    assert re.search(why, result.why), result.why
    assert (result.artifacts is None) == (outcome == 'pass')


def test_every_kernel_is_tested():
    there = {p.stem for p in (qemu.TOP / 'grade/selftest_kernels').glob('*.c')}
    assert there == {e[0] for e in ENDINGS} | {'stdin'}


@pytest.mark.parametrize('lane', qemu.LANES)
def test_lanes(lane):
    cpus = {'bench': 1, 'turns': 5}.get(lane, 4)
    assert qemu.Machine(config('pass', lane=lane, cpus=cpus)).run().passed


def test_hang_shows_every_stack():
    cfg = config('hang')
    cfg.name = 'selftest-stacks'
    result = qemu.Machine(cfg).run()
    stacks = (result.artifacts / 'stacks.txt').read_text()
    assert re.search(r'main \(\) at .*hang\.c:\d+', stacks), stacks
    assert 'CPU#0' in stacks and 'CPU#1' in stacks


def test_panic_is_symbolised():
    cfg = config('panic')
    cfg.name = 'selftest-symbols'
    result = qemu.Machine(cfg).run()
    text = (result.artifacts / 'panic.txt').read_text()
    assert '_start at start.S:' in text


def test_reopen_boots_the_same_thing():
    cfg = config('midplan')
    cfg.name = 'selftest-reopen'
    result = qemu.Machine(cfg).run()
    out = subprocess.run(
        ['sh', str(result.artifacts / 'reopen')], text=True, timeout=60,
        input='break main\ncontinue\nkill\nquit\n', capture_output=True,
        env={**os.environ, 'PORT': str(20000 + os.getpid() % 20000)}).stdout
    assert 'Breakpoint 1, main ()' in out, out


def test_send_and_expect():
    with qemu.Machine(config('stdin')) as machine:
        machine.expect(r'\$ ')
        machine.send('hello\n')
        machine.expect('hello')
        assert machine.run().passed


def test_expect_gives_up():
    with qemu.Machine(config('stdin')) as machine:
        with pytest.raises(TimeoutError, match='no such prompt'):
            machine.expect('no such prompt', timeout=1)


def test_emulator_killed_is_a_crash():
    machine = qemu.Machine(config('chatter')).start()
    machine.expect('still working')
    os.kill(machine.proc.pid, signal.SIGKILL)
    result = machine.run()
    assert result.outcome == 'crash' and 'signal 9' in result.why


def test_bad_option_is_reported():
    result = qemu.Machine(config('pass', extra=('-device', 'nonsense'))).run()
    assert result.outcome == 'crash' and 'nonsense' in result.why


def test_nothing_survives_the_driver():
    """A driver that is killed takes its QEMU with it."""
    code = ('import sys, time; sys.path.insert(0, sys.argv[1]); import qemu;'
            'm = qemu.Machine(qemu.Config(arch="riscv",'
            'kernel=sys.argv[2])).start();'
            'print(m.proc.pid, flush=True); time.sleep(60)')
    driver = subprocess.Popen(
        ['python3', '-c', code, str(qemu.TOP / 'grade'),
         str(qemu.BUILD / 'selftest/chatter.elf')],
        stdout=subprocess.PIPE, text=True)
    pid = int(driver.stdout.readline())
    assert os.path.exists(f'/proc/{pid}')
    driver.kill()
    driver.wait()
    limit = time.monotonic() + 5
    while os.path.exists(f'/proc/{pid}') and time.monotonic() < limit:
        time.sleep(0.05)
    state = ''
    if os.path.exists(f'/proc/{pid}'):
        with open(f'/proc/{pid}/stat') as f:
            state = f.read().split()[2]
    assert state in ('', 'Z')


# --- the matrix alone --------------------------------------------------------

def test_pairwise_is_small_and_complete():
    axes = {'group': list('abcdefghijkl'), 'arch': ['riscv', 'x86_64'],
            'cpus': [1, 2, 4, 8], 'tlb.deliver': ['ipi', 'sbi'],
            'lane': ['mttcg', 'icount']}
    rows, whole = matrix.pairwise(axes), matrix.product(axes)
    assert all(r in whole for r in rows)        # nothing impossible
    want = set().union(*map(matrix.pairs_of, whole))
    assert set().union(*map(matrix.pairs_of, rows)) == want
    assert len(rows) < len(whole) / 4


# --- the parser alone -------------------------------------------------------

GOOD = ('KTAP version 1\n1..3\n# note\nok 1 a\n  KTAP version 1\n  1..2\n'
        '  ok 1 x\n  ok 2 y # SKIP no disk\nok 2 b\nok 3 - c\n# run complete\n')


def test_parser_good():
    rec = ktap.parse(GOOD)
    assert [p.name for p in rec.points] == ['a', 'b', 'b.x', 'b.y', 'c']
    assert not rec.breaches and not rec.missing and not rec.failed
    assert rec.skipped[0].reason == 'no disk'
    assert rec.counts() == {'total': 3, 'fail': 0, 'skip': 0, 'pass': 3,
                            'checks': 3}


def test_parser_all_skipped():
    rec = ktap.parse('KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n'
                     '  ok 1 x # SKIP no disk\n  ok 2 y # SKIP no disk\n'
                     'ok 1 a\n# run complete\n')
    assert not rec.breaches and not rec.missing
    assert rec.counts() == {'total': 1, 'fail': 0, 'skip': 1, 'pass': 0,
                            'checks': 0}


def test_parser_bench_lines():
    rec = ktap.parse('bench getpid 1000 70 71 72 90\n# run complete\n')
    assert rec.bench == [('getpid', 1000, 70, 71, 72, 90)]
    assert not rec.breaches and not rec.missing


@pytest.mark.parametrize('line', range(GOOD.count('\n')))
def test_parser_misses_every_lost_line(line):
    """A results file that lost any line, but for a comment or a version,
    is not a pass."""
    lines = GOOD.splitlines(True)
    lost = lines.pop(line)
    rec = ktap.parse(''.join(lines))
    harmless = lost.startswith('# note') or 'version' in lost
    assert bool(rec.breaches or rec.missing) != harmless, lost


@pytest.mark.parametrize('cut', range(1, len(GOOD) - 1, 3))
def test_parser_misses_every_cut(cut):
    rec = ktap.parse(GOOD[:cut])
    assert rec.breaches or rec.missing


def test_harm_is_told_from_a_mount():
    assert not matrix.HARM.search(
        'ext2: ram0: 4096 blocks of 4096 bytes, read-write\n')
    assert matrix.HARM.search('ok\next2: ram0: freed twice (0x4d6)\n')
