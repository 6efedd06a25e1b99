import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BPFTRACE } from './server.js';

/** As many as a desktop with its modules lists. */
export const MANY = 150_000;

/**
 * A list of 150,000 probes, made up from this host: what the installed bpftrace really lists, and each function
 * that the running kernel has (/proc/kallsyms) as a kprobe and as an fentry probe, whether or not this kernel
 * can attach there. What is still missing then is the same functions once more, as if of other modules
 * (`kprobe:made_up_1:tcp_sendmsg`). So the names are real, their mixture is like a large host's, and the last
 * part is repetition. Each line stands there twice in places, and unsorted, as bpftrace prints them.
 */
export function manyProbes(): string[] {
  const real = realProbes();
  const functions = kernelFunctions();
  const probes = new Set(real);
  for (const name of functions) probes.add(`kprobe:${name}`);
  for (const name of functions) probes.add(`fentry:vmlinux:${name}`);
  for (let module = 1; probes.size < MANY; module++) {
    for (const name of functions) {
      if (probes.size < MANY) probes.add(`kprobe:made_up_${module}:${name}`);
    }
  }
  return [...probes, ...functions.slice(0, 1000).map(name => `kprobe:${name}`)];
}

/** What the installed bpftrace lists here. */
export function realProbes(): string[] {
  return execFileSync(BPFTRACE, ['-l'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
    .split('\n')
    .filter(line => line !== '');
}

function kernelFunctions(): string[] {
  const names = new Set<string>();
  for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
    const [, kind, name] = line.split(/\s+/);
    if (name && /^[tTwW]$/.test(kind ?? '') && /^[A-Za-z_]\w*$/.test(name) && !name.startsWith('__pfx_'))
      names.add(name);
  }
  if (names.size < 1000) throw new Error(`only ${names.size} functions in /proc/kallsyms`);
  return [...names];
}
