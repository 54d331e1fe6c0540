# SPDX-License-Identifier: MIT
"""Bad input from outside of the machine: boot arguments and root images.

Each must end in a message that names what is wrong, never in a silent default,
a hang or a panic about anything else.  `make faults` runs many more of them.
"""

import random
import re

import pytest

import faults
import qemu

# argument: what the console must say; the machine works on
SAID = {
    'tlb.deliver=pigeon': r'tlb\.deliver=pigeon is unknown, using ipi',
    'tlb.targets=some': r'tlb\.targets=some is unknown, using mask',
    'tlb.catchup=never': r'tlb\.catchup=never is unknown, using gen',
    'tlb.asidbits=two': r'tlb\.asidbits=two is not a number',
    'tick=soon': r'tick=soon is not a number, using \d+',
    'failat=-1': r'failat=-1 is not a number',
    'fuzz=seed': r'fuzz=seed is not a number',
}
# argument: the panic, because nothing can be run
REFUSED = {
    'vm=nonsense': r'vm=nonsense: no such design',
    'init=/no/such': r'cannot run /no/such: error 2',
    'init=/bin': r'cannot run /bin: error 13',
    'root=ram9': r'cannot mount ram9 as root: error \d+',
}


def boot(name, **kw):
    return qemu.boot(cpus=2, silence=20, total=60, name=f'input-{name}', **kw)


@pytest.mark.parametrize('word', SAID)
def test_argument_is_named(word):
    key, _, value = word.partition('=')
    result = boot(word, args={'test': 'time', key: value})
    assert result.passed, result.explain()
    assert re.search(SAID[word], result.console), result.console


@pytest.mark.parametrize('word', REFUSED)
def test_argument_is_refused(word):
    key, _, value = word.partition('=')
    result = boot(word, args={'test': 'time', key: value})
    assert result.outcome == 'panic', result.explain()
    assert re.search(REFUSED[word], result.why), result.why


@pytest.mark.skipif('x86_64' not in qemu.TESTED, reason='another machine')
def test_no_remote_fence():
    """x86-64 has no firmware that could flush the TLB of other CPUs."""
    result = boot('sbi', arch='x86_64', args={'tlb.deliver': 'sbi'})
    assert result.outcome == 'panic', result.explain()
    assert 'tlb.deliver=sbi: this machine has no remote fence; boot with ' \
        'tlb.deliver=ipi' in result.console


@pytest.fixture(scope='module')
def image():
    return (qemu.BUILD / qemu.ARCH / 'root.img').read_bytes()


def boot_image(data, name, folder, **kw):
    path = folder / 'root.img'
    path.write_bytes(data)
    return boot(name, kernel=qemu.Config().kernel, initrd=path, **kw)


@pytest.mark.parametrize('wreck', ['empty', 'zeros', 'half', 'magic',
                                   'block size'])
def test_unmountable(wreck, image, tmp_path):
    """Refused with a message on the console and the error in the panic."""
    data = {'empty': b'', 'zeros': bytes(1 << 20), 'half': image[:4096],
            'magic': image[:1080] + b'??' + image[1082:],
            'block size': image[:1048] + b'\xff' * 4 + image[1052:]}[wreck]
    result = boot_image(data, wreck, tmp_path, args={'test': 'file'})
    assert result.outcome == 'panic', result.explain()
    assert re.search(r'cannot mount ram0 as root: error \d+', result.why)
    if wreck != 'empty':
        assert re.search(r'ext2: .+', result.console), result.console


@pytest.mark.parametrize('seed', range(1, 7))
def test_damaged(seed, image, tmp_path):
    """Wounds at random places: any end but a panic of the kernel's own, a
    hang or a crash, with every file read in between."""
    data, wounds = faults.damage(image, random.Random(seed))
    result = boot_image(data, f'damage-{seed}', tmp_path,
                        args={'test': 'file'})
    assert not faults.judge(result), f'{wounds}\n{result.explain()}'


def test_damaged_file_is_an_error(image, tmp_path):
    """The data blocks of /bin/tiny lie beyond the device: EIO, and a message;
    the shell works on."""
    data = bytearray(image)
    inode = faults.find_inode(data, '/bin/tiny')
    data[inode + 40:inode + 44] = (0x7fffffff).to_bytes(4, 'little')
    path = tmp_path / 'root.img'
    path.write_bytes(data)
    with qemu.Machine(qemu.Config(cpus=2, kernel=qemu.Config().kernel,
                                  initrd=path, name='input-eio')) as machine:
        machine.expect(r'\$ ', timeout=30)
        machine.send('cat /bin/tiny\n')
        machine.expect(r'/bin/tiny: EIO',
                       timeout=20)
        machine.expect(r'\$ ')
        machine.send('echo still here | wc\n')
        machine.expect(r'\s1\s+2\s+11\b', timeout=20)
        assert re.search('ext2: ', machine.console.text())
