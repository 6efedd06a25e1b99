import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE, needPackages } from '../support/debootstrap.js';
import { makeGuest } from './guest.js';

/**
 * `npm run test:vm`: boots a full kernel in QEMU, runs the guest's tests in it and shows them as they come. The
 * exit code is theirs.
 */
const BOUND_MS = 30 * 60_000;
/**
 * Software emulation, since nested KVM is rarely to be had. Without cmpxchg16b: with it, QEMU's emulation
 * corrupts flags and the guest panics at random (QEMU 7.2). One processor: with two, attaching to many functions
 * panics the guest (int3 in ftrace's patched code), as the emulation lets one run what the other is patching.
 */
const MACHINE = ['-accel', 'tcg', '-cpu', 'Nehalem,-cx16', '-m', '4096', '-smp', '1'];
const KERNEL_ARGUMENTS = 'console=ttyS0 rdinit=/guest-init panic=-1 nokaslr quiet';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  needPackages({ 'qemu-system-x86_64': 'qemu-system-x86', cpio: 'cpio' }, say);
  const { kernel, initrd } = makeGuest(say);
  const results = join(CACHE, 'guest-results');
  const consoleLog = join(CACHE, 'guest-console');
  writeFileSync(results, '');
  const begun = performance.now();
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...MACHINE,
      ...['-display', 'none', '-no-reboot', '-serial', `file:${consoleLog}`, '-serial', `file:${results}`],
      ...['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_ARGUMENTS],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = once(qemu, 'exit').then(() => true);
  const bound = setTimeout(() => qemu.kill('SIGKILL'), BOUND_MS);
  let shown = '';
  for (let over = false; !over; ) {
    over = await Promise.race([ended, sleep(500, false)]);
    const text = await readAll(results, shown.length);
    process.stdout.write(text.replaceAll('\r', ''));
    shown += text;
  }
  clearTimeout(bound);
  rmSync(initrd, { force: true });
  const seconds = Math.round((performance.now() - begun) / 1000);
  const status = /guest: ended with (\d+)/.exec(shown)?.[1];
  if (status === undefined) {
    say(`the guest did not finish within ${seconds} s; its console is in ${consoleLog}`);
    return 1;
  }
  say(`the guest ran ${seconds} s, booting included`);
  return Number(status);
}

async function readAll(file: string, from: number): Promise<string> {
  let text = '';
  for await (const chunk of createReadStream(file, { start: from, encoding: 'latin1' })) text += chunk;
  return text;
}

process.exitCode = await main();
