# SPDX-License-Identifier: MIT
"""What is kept of a run that did not pass.

One folder, build/artifacts/NAME: console, results, why, kernel and root image,
symbolised addresses, for a hang the stack of every CPU, and `reopen`, which
boots the same thing again with gdb attached.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
HEX = re.compile(r'0x[0-9a-f]{6,16}')

REOPEN = '''#!/bin/sh
# Boot this run again, stopped, with gdb attached.  Results: results.again
cd "$(dirname "$0")" || exit 1
port=${{PORT:-1234}}
setpriv --pdeathsig KILL {qemu} -S -gdb tcp:127.0.0.1:$port &
qemu=$!
trap 'kill $qemu 2>/dev/null' EXIT
sleep 1
{gdb}
'''


def tools(config):
    """(binutils prefix, gdb architecture) of a configuration."""
    import qemu
    arch = qemu.ARCHES[config.arch]
    return arch.cross, arch.gdb


def gdb_command(config, remote, kernel=None):
    """gdb with the kernel's symbols and, if it exists, Tern's commands."""
    cmd = ['gdb-multiarch', '-q', '-nx',
           '-ex', 'set pagination off', '-ex', 'set confirm off',
           '-ex', f'set architecture {tools(config)[1]}',
           '-ex', f'file {kernel or config.kernel}',
           '-ex', f'target remote {remote}']
    commands = TOP / 'grade' / 'gdb' / 'tern.py'
    if commands.exists():
        cmd += ['-ex', f'source {commands}']
    return cmd


def symbolise(config, addresses):
    """['0x... function at file:line', ...]; a return address is looked up one
    byte earlier, where the call is."""
    cmd = [tools(config)[0] + 'addr2line', '-e', str(config.kernel),
           '-f', '-i', '-p', '-s']
    looked = [hex(int(a, 16) - (i > 0)) for i, a in enumerate(addresses)]
    lines = []
    for address, look in zip(addresses, looked):
        try:
            out = subprocess.run(cmd + [look], capture_output=True, text=True,
                                 timeout=10).stdout.strip()
        except (OSError, subprocess.TimeoutExpired) as why:
            out = str(why)
        lines.append(f'{address} {out}')
    return lines


def panic_trace(config, text):
    """Symbolise the `# cpu N pc` and `# backtrace:` lines of a panic."""
    lines = []
    for line in text.splitlines():
        if re.match(r'# (cpu \d+ pc|panic:|backtrace:)', line):
            lines.append(line)
            if not line.startswith('# panic:'):
                # all of them are return addresses, the pc too
                found = ['0x0'] + HEX.findall(line)
                got = symbolise(config, found)
                lines += [f'    {g}' for g in got if not g.startswith('0x0 ')]
    return '\n'.join(lines)


def all_stacks(machine):
    """Stop the guest and let gdb print every CPU's stack."""
    path = os.path.join(machine.dir, 'gdb')
    machine.command('stop', 5)
    if machine.monitor(f'gdbserver unix:{path},server=on,wait=off', 5) is None:
        return 'the emulator does not answer; no stacks'
    cmd = gdb_command(machine.config, path) + [
        '-batch', '-ex', 'info threads', '-ex', 'thread apply all bt 40',
        '-ex', 'detach']
    try:
        done = subprocess.run(cmd, capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr
    except (OSError, subprocess.TimeoutExpired) as why:
        return f'gdb: {why}\n{machine.monitor("info registers -a", 5)}'


def reopen_script(config, folder):
    """Write FOLDER/reopen, which needs nothing but the folder and QEMU."""
    import dataclasses
    kernel = 'tern.elf'
    here = dataclasses.replace(
        config, kernel=kernel, initrd='root.img' if config.initrd else None)
    qemu = here.command(['-serial', 'file:console.again'],
                        ['-chardev', 'file,id=res,path=results.again'])
    script = REOPEN.format(
        qemu=shlex.join(qemu),
        gdb=shlex.join(gdb_command(here, ':PORT')).replace(
            "'target remote :PORT'", '"target remote :$port"'))
    (folder / 'reopen').write_text(script)
    (folder / 'reopen').chmod(0o755)


def collect(machine, result, where):
    """Fill the artifacts folder of a failed run and return its path."""
    config = machine.config
    folder = where / re.sub(r'[^\w.,=-]+', '_', config.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if result.outcome in ('hang', 'timeout') and machine.proc.poll() is None:
        (folder / 'stacks.txt').write_text(all_stacks(machine))
    (folder / 'console.txt').write_text(result.console)
    (folder / 'results.txt').write_text(machine.results.text())
    (folder / 'stderr.txt').write_text(machine.stderr())
    if result.outcome == 'panic':
        text = machine.results.text()
        text = text if '# panic:' in text else result.console
        (folder / 'panic.txt').write_text(panic_trace(config, text) + '\n')
    shutil.copy(config.kernel, folder / 'tern.elf')
    if config.initrd:
        shutil.copy(config.initrd, folder / 'root.img')
    reopen_script(config, folder)
    lines = [f'outcome  {result.outcome}', f'why      {result.why}',
             f'seconds  {result.seconds:.1f}', f'lane     {config.lane}',
             f'append   {config.append()}', '', result.explain()]
    (folder / 'summary.txt').write_text('\n'.join(lines) + '\n')
    return folder
