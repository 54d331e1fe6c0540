# SPDX-License-Identifier: MIT
"""The real system: its own tests, one boot a group, and its shell.

The rows are pairwise over the axes of matrix.py; `make test-all` runs the
whole product.
"""

import re

import pytest

import matrix
import qemu

ROWS = matrix.pairwise() if matrix.GROUPS else []


@pytest.mark.parametrize('row', ROWS, ids=matrix.name_of)
def test_group(row, record_property):
    result = qemu.Machine(matrix.config_of(row)).run()
    for key, value in result.record.counts().items():
        record_property(key, value)
    assert result.passed, result.explain()


def test_no_group_is_forgotten():
    assert sorted(matrix.listed_groups()) == sorted(matrix.GROUPS)


def test_pairwise_covers_every_pair():
    want = set().union(*map(matrix.pairs_of, matrix.product()))
    have = set().union(*map(matrix.pairs_of, ROWS))
    assert want == have


def shell(cpus, **kw):
    return qemu.Machine(qemu.Config(cpus=cpus, name=f'shell-{cpus}', **kw))


@pytest.mark.parametrize('cpus', [1, 2, 4, 8])
def test_shell(cpus):
    """Boot to the prompt and work there."""
    with shell(cpus) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send('echo alpha beta | wc\n')
        machine.expect(r'\s1\s+2\s+11\b', timeout=20)
        machine.expect(r'\$ ')
        machine.send('cat /proc/uptime\n')
        machine.expect(r'\d+\.\d+', timeout=20)


def test_power_off_is_clean():
    """From the shell: the emulator ends by itself, and without a panic."""
    with shell(4) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send('poweroff\n')
        while not machine.over():
            machine.pump(0.25)
        assert machine.end == ('stopped', 'guest-shutdown'), machine.end
        assert '# panic' not in machine.console.text()


def test_same_run_twice():
    """The deterministic lane with 4 CPUs: identical to the last byte."""
    group = next(iter(matrix.GROUPS))

    def run():
        config = qemu.Config(cpus=4, lane='icount', args={'test': group},
                             name='determinism')
        machine = qemu.Machine(config)
        result = machine.run()
        assert result.passed, result.explain()
        return result.console, machine.results.text()
    assert run() == run()


def test_unknown_design_is_refused():
    """A wrong boot argument is a message, never a silent default."""
    config = qemu.Config(cpus=1, vm='nonsense', name='bad-design', silence=10)
    result = qemu.Machine(config).run()
    assert result.outcome == 'panic', result.explain()
    assert re.search('nonsense|vm=', result.why)
