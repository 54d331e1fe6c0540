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

both = pytest.mark.parametrize('arch', qemu.TESTED)


def root(arch):
    return qemu.BUILD / arch / 'root.img'


@pytest.fixture
def image(tmp_path, arch):
    copy = tmp_path / 'disk.img'
    shutil.copyfile(root(arch), copy)
    return copy


def machine(arch, image, errors=(), is_root=True, **kw):
    """A machine with this disk; @p errors are blkdebug's rules."""
    node = {'driver': 'file', 'filename': str(image)}
    if errors:
        node = {'driver': 'blkdebug', 'image': node, 'inject-error': [
            {'event': 'none', 'errno': 5, 'once': False, **e}
            for e in errors]}
    args = kw.pop('args', {})
    if is_root:
        args = {'root': 'vda', **args}
    else:
        kw['initrd'] = root(arch)
    return qemu.Machine(qemu.Config(
        arch=arch, kernel=qemu.BUILD / arch / 'debug' / 'tern.elf', args=args,
        **{'cpus': 2, 'name': f'disk-{arch}', **kw},
        extra=('-blockdev', json.dumps({**node, 'node-name': 'disk'}),
               '-device', 'virtio-blk-pci,drive=disk')))


def fsck(image):
    done = torture.run('e2fsck', '-fn', str(image))
    return done.returncode, done.stdout


def sector_of(arch, path, n):
    """First sector of the n-th block of a file in the root image."""
    blocks = torture.run('debugfs', '-R', f'blocks {path}', str(root(arch)))
    return int(blocks.stdout.splitlines()[-1].split()[n]) * 8


def power_off(m):
    m.send('poweroff\n')
    while not m.over():
        m.pump(0.25)
    assert m.end == ('stopped', 'guest-shutdown'), m.end
    assert '# panic' not in m.console.text()


@both
@pytest.mark.parametrize('group, cpus', [('write', 4), ('fmap', 4),
                                         ('file', 1)])
def test_group_on_disk(arch, image, group, cpus):
    result = machine(arch, image, args={'test': group}, cpus=cpus,
                     total=matrix.GROUPS[group]).run()
    assert result.passed, result.explain()
    status, text = fsck(image)
    assert status == 0, text


@both
def test_files_survive_a_reboot(arch, image):
    with machine(arch, image) as m:
        m.expect(r'\$ ')
        m.send('mkdir tmp/d; echo kept and found >tmp/d/f; '
               'cp /test/files/big tmp/d; rm /etc/motd\n')
        m.expect(r'\$ ')
        power_off(m)
    assert fsck(image)[0] == 0
    with machine(arch, image) as m:
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


@both
def test_unclean_is_read_only(arch, image):
    torture.run('debugfs', '-w', '-R', 'set_super_value state 0', str(image))
    with machine(arch, image) as m:
        m.expect(r'read-only: it is not clean')
        m.expect(r'\$ ')
        m.send('echo x >tmp/x\n')
        m.expect(r'EROFS')


@both
def test_read_errors(arch, image):
    """The blocks of a file and of a program: EIO, SIGBUS, and no harm."""
    bad = [{'iotype': 'read', 'sector': sector_of(arch, path, n)}
           for path, n in (('/test/files/big', 100), ('/bin/hexdump', 1))]
    with machine(arch, image, bad) as m:
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


@both
def test_swap_that_does_not_write(arch, tmp_path):
    """Pages that cannot be stored stay in memory, as if there were no swap:
    who wants too much is ended, and nobody else notices."""
    image = tmp_path / 'swap.img'
    image.write_bytes(bytes(24 << 20))
    with machine(arch, image, [{'iotype': 'write'}], is_root=False,
                 mem='64M', args={'swap': 'vda'}) as m:
        m.expect(r'\$ ')
        m.send('stress -t 100 -n 1 hog; echo "hog $?"\n')
        m.expect(r'swap: the device does not write')
        m.expect(r'out of memory: killed \d+ \(stress\)', timeout=90)
        m.expect(r'hog 1')
        m.send('stress -t 1 -n 2 memory; echo "then $?"\n')
        m.expect(r'then 0')
        power_off(m)


@both
def test_write_errors(arch, image):
    """What cannot be written is told to who syncs it, once."""
    bad = [{'iotype': 'write',
            'sector': sector_of(arch, '/test/files/hello.txt', 0)}]
    with machine(arch, image, bad) as m:
        m.expect(r'\$ ')
        m.send('echo another >>/test/files/hello.txt\n')
        m.expect(r'\$ ')
        m.send('sync /test/files/hello.txt; sync /test/files/hello.txt; '
               'echo "then $?"\n')
        m.expect(r'/test/files/hello.txt: EIO')
        m.expect(r'then 0')
        m.send('echo fine >tmp/f; sync tmp/f; echo "other $?"\n')
        m.expect(r'other 0')


@both
@pytest.mark.parametrize('seed', [101, 102])
def test_power_cut(tmp_path, arch, seed):
    bad, line = torture.cut(tmp_path, seed, arch)
    assert not bad, (bad, line)
