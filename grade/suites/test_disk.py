# SPDX-License-Identifier: MIT
"""The real system on a virtio disk: its tests, errors of the device, files that
are there again after a reboot, power cuts; e2fsck judges the image."""

import json
import pathlib
import shutil

import pytest

import matrix
import qemu
import torture

ROOT = qemu.BUILD / 'riscv' / 'root.img'
KERNEL = qemu.BUILD / 'riscv' / 'debug' / 'tern.elf'


@pytest.fixture
def image(tmp_path):
    copy = tmp_path / 'disk.img'
    shutil.copyfile(ROOT, copy)
    return copy


def machine(image, errors=(), **kw):
    """A machine with this disk; @p errors are blkdebug's rules."""
    node = {'driver': 'file', 'filename': str(image)}
    if errors:
        node = {'driver': 'blkdebug', 'image': node, 'inject-error': [
            {'event': 'none', 'errno': 5, 'once': False, **e}
            for e in errors]}
    args = {'root': 'vda', **kw.pop('args', {})}
    return qemu.Machine(qemu.Config(
        kernel=KERNEL, args=args, **{'cpus': 2, 'name': 'disk', **kw},
        extra=('-blockdev', json.dumps({**node, 'node-name': 'disk'}),
               '-device', 'virtio-blk-pci,drive=disk')))


def fsck(image):
    done = torture.run('e2fsck', '-fn', str(image))
    return done.returncode, done.stdout


def sector_of(path, n):
    """First sector of the n-th block of a file in the root image."""
    blocks = torture.run('debugfs', '-R', f'blocks {path}', str(ROOT))
    return int(blocks.stdout.splitlines()[-1].split()[n]) * 8


def power_off(m):
    m.send('poweroff\n')
    while not m.over():
        m.pump(0.25)
    assert m.end == ('stopped', 'guest-shutdown'), m.end
    assert '# panic' not in m.console.text()


@pytest.mark.parametrize('group, cpus', [('write', 4), ('fmap', 4),
                                         ('file', 1)])
def test_group_on_disk(image, group, cpus):
    result = machine(image, args={'test': group}, cpus=cpus,
                     total=matrix.GROUPS[group]).run()
    assert result.passed, result.explain()
    status, text = fsck(image)
    assert status == 0, text


def test_files_survive_a_reboot(image):
    with machine(image) as m:
        m.expect(r'\$ ')
        m.send('mkdir tmp/d; echo kept and found >tmp/d/f; '
               'cp /test/files/big tmp/d; rm /etc/motd\n')
        m.expect(r'\$ ')
        power_off(m)
    assert fsck(image)[0] == 0
    with machine(image) as m:
        m.expect(r'\$ ')
        m.send('cat tmp/d/f; cat /etc/motd; cp tmp/d/big tmp/again\n')
        m.expect(r'kept and found')
        m.expect(r'/etc/motd: ENOENT')
        m.expect(r'\$ ')
        power_off(m)
    assert fsck(image)[0] == 0
    torture.run('debugfs', '-R', f'dump tmp/again {image}.again', str(image))
    assert pathlib.Path(f'{image}.again').read_bytes() == \
        torture.mkroot.pattern(1 << 20)


def test_unclean_is_read_only(image):
    torture.run('debugfs', '-w', '-R', 'set_super_value state 0', str(image))
    with machine(image) as m:
        m.expect(r'read-only: it is not clean')
        m.expect(r'\$ ')
        m.send('echo x >tmp/x\n')
        m.expect(r'EROFS')


def test_read_errors(image):
    """The blocks of a file and of a program: EIO, SIGBUS, and no harm."""
    bad = [{'iotype': 'read', 'sector': sector_of('/test/files/big', 100)},
           {'iotype': 'read', 'sector': sector_of('/bin/hexdump', 1)}]
    with machine(image, bad) as m:
        m.expect(r'\$ ')
        m.send('cat /test/files/big >/dev/null; echo "first $?"\n')
        m.expect(r'EIO')
        m.expect(r'first 1')
        m.send('cat /test/files/odd | wc; hexdump /etc/motd\n')
        m.expect(r'\b12305\b')
        m.expect(r'(?i)SIGBUS|EIO|bus')
        m.send('cat /test/files/hello.txt\n')
        m.expect(r'second line')
        power_off(m)
    assert fsck(image)[0] == 0


def test_write_errors(image):
    """What cannot be written is told to who syncs it, once."""
    bad = [{'iotype': 'write', 'sector': sector_of('/test/files/hello.txt',
                                                   0)}]
    with machine(image, bad) as m:
        m.expect(r'\$ ')
        m.send('echo another >>/test/files/hello.txt\n')
        m.expect(r'\$ ')
        m.send('sync /test/files/hello.txt; sync /test/files/hello.txt; '
               'echo "then $?"\n')
        m.expect(r'/test/files/hello.txt: EIO')
        m.expect(r'then 0')
        m.send('echo fine >tmp/f; sync tmp/f; echo "other $?"\n')
        m.expect(r'other 0')


@pytest.mark.parametrize('seed', [101, 102])
def test_power_cut(tmp_path, seed):
    bad, line = torture.cut(tmp_path, seed)
    assert not bad, (bad, line)
