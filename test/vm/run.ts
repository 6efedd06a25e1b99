import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countsIn, countsLine } from '../support/counts.js';
import { installMissing } from '../support/packages.js';
import { recordSupport } from '../support/support-table.js';
import { CACHE } from '../support/systems.js';
import { type Guest, makeGuests } from './guest.js';
import { SHARES } from './work.js';

/**
 * `npm run test:vm`: boots a full kernel in QEMU, twice side by side, runs each guest's share of the tests in it
 * and shows them as they come; with words (`-- vm/guest`) these files, in one guest.
 */
const BOUND_MS = 25 * 60_000;
/**
 * Software emulation, since nested KVM is rarely to be had. Without cmpxchg16b: with it, QEMU's emulation
 * corrupts flags and the guest panics at random (QEMU 7.2). One processor: with two, attaching to many functions
 * panics the guest (int3 in ftrace's patched code), as the emulation lets one run what the other is patching.
 */
const MACHINE = ['-accel', 'tcg', '-cpu', 'Nehalem,-cx16', '-m', '3072', '-smp', '1', '-nic', 'none'];
/** Detaching waits for RCU, and mitigations only cost time. */
const KERNEL_ARGUMENTS =
  'console=ttyS0 root=/dev/vda rw panic=-1 nokaslr quiet mitigations=off rcupdate.rcu_expedited=1';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(words: readonly string[]): Promise<number> {
  const shares: typeof SHARES = words.length > 0 ? [[{ suite: 'trixie', files: words.join(' ') }]] : SHARES;
  try {
    installMissing(
      { 'qemu-system-x86_64': 'qemu-system-x86', debootstrap: 'debootstrap', mke2fs: 'e2fsprogs' },
      say,
    );
  } catch (error) {
    // Where somebody relies on it, not having run is a failure.
    say(`the guest's tests did not run: ${error instanceof Error ? error.message : error}`);
    return process.env.CI ? 1 : 0;
  }
  const guests = await makeGuests(shares, say);
  const begun = performance.now();
  const outputs = await Promise.all(guests.map(boot));
  const complete = outputs.every(text => /^guest: at its end/m.test(text));
  const counts = countsIn(outputs.join('\n'));
  for (const failure of outputs.flatMap(text => text.match(/^FAIL .*$/gm) ?? [])) say(failure);
  say(`the guests ran ${Math.round((performance.now() - begun) / 1000)} s, booting included`);
  if (!complete) {
    say(`a guest did not come to its end; the consoles are in ${CACHE}`);
    counts.failed++;
  }
  say(countsLine(counts));
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

/** Runs one guest to its end and gives back what it said. */
async function boot(guest: Guest, index: number): Promise<string> {
  const [console, results, support] = ['console', 'results', 'support'].map(what =>
    join(CACHE, `guest-${index}.${what}`),
  ) as [string, string, string];
  writeFileSync(results, '');
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...MACHINE,
      ...['-display', 'none', '-no-reboot'],
      ...[console, results, support].flatMap(file => ['-serial', `file:${file}`]),
      ...['-kernel', guest.kernel, '-initrd', guest.initrd],
      ...['-append', `${KERNEL_ARGUMENTS} ${guest.arguments}`],
      ...guest.disks.flatMap(disk => ['-drive', `if=virtio,format=raw,snapshot=on,file=${disk}`]),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = once(qemu, 'exit').then(() => true);
  const bound = setTimeout(() => qemu.kill('SIGKILL'), BOUND_MS);
  let shown = '';
  let line = '';
  for (let over = false; !over; ) {
    over = await Promise.race([ended, sleep(500, false)]);
    const text = await readFrom(results, shown.length);
    shown += text;
    const lines = (line + text.replaceAll('\r', '')).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) say(`${index}: ${Buffer.from(whole, 'latin1').toString()}`);
  }
  clearTimeout(bound);
  if (process.env.UPDATE_SUPPORT === '1') recordSupport(JSON.parse(readFileSync(support, 'utf8')));
  return shown.replaceAll('\r', '');
}

async function readFrom(file: string, from: number): Promise<string> {
  let text = '';
  for await (const chunk of createReadStream(file, { start: from, encoding: 'latin1' })) text += chunk;
  return text;
}

process.exitCode = await main(process.argv.slice(2));
