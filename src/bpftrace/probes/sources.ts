import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { Refusal } from '../../contract/errors.js';
import type { ProbeSource } from '../../contract/probes.js';
import type { SpawnPlan } from '../../contract/trace.js';

/** What this server's bpftrace is, and how to ask it. */
export interface BpftraceHost {
  /** Changes when another bpftrace stands at its path. */
  identity(): string;
  /** @throws Refusal `no_bpftrace`, `no_privilege` */
  plan(args: readonly string[]): SpawnPlan;
  /** It is one that was recorded: files of this machine tell nothing about it. */
  isElsewhere?: boolean;
  /** @throws Refusal `policy_denied` where the policy lets nobody read the symbols of that binary */
  requireBinary(path: string): void;
}

export function kernelSource(host: BpftraceHost): ProbeSource {
  return { key: 'kernel', identity: host.identity(), spawn: host.plan(['-l']) };
}

/**
 * All probes of a binary; the functions that a caller asks for are searched in its list, so that nothing of a
 * pattern ever reaches bpftrace. A return probe is listed as its function's entry.
 * @throws Refusal `invalid_argument`, `policy_denied`
 */
export function binarySource(host: BpftraceHost, provider: string, path: string): ProbeSource {
  // Each of these would end the path in bpftrace's grammar.
  if (/[\s,{}"'`]/.test(path)) {
    throw new Refusal(
      'invalid_argument',
      `the path ${JSON.stringify(path)} holds a character that bpftrace's -l can't take`,
      'pass a path without blanks, quotes, commas and braces, such as uprobe:/usr/bin/bash:*read*',
    );
  }
  // bpftrace would go through every program on PATH: half a minute, and a list that is of no use.
  if (path.includes('*')) {
    throw new Refusal(
      'invalid_argument',
      `the path ${JSON.stringify(path)} is a pattern, and would have to be one file`,
      'name one binary or library, such as uprobe:/usr/bin/bash:*read* or uprobe:libc:malloc',
    );
  }
  host.requireBinary(path);
  const listedAs = provider === 'usdt' ? 'usdt' : 'uprobe';
  return {
    key: `${listedAs}:${path}`,
    ...fileIdentity(host, path),
    spawn: host.plan(['-l', `${listedAs}:${path}:*`]),
  };
}

/**
 * A file's inode and time of change. No identity for a name that bpftrace looks up itself (`bash`, `libc`),
 * and for what this process can't see.
 */
function fileIdentity(host: BpftraceHost, path: string): Pick<ProbeSource, 'identity' | 'missing'> {
  if (host.isElsewhere) return { identity: host.identity() };
  if (!isAbsolute(path)) return { identity: undefined };
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (!stat) return { identity: undefined, missing: path };
  if (!stat.isFile()) {
    throw new Refusal(
      'invalid_argument',
      `${path} is not a regular file`,
      'name a binary or a shared library, such as uprobe:/usr/bin/bash:*read*',
    );
  }
  return { identity: `${host.identity()} ${stat.dev}:${stat.ino} ${stat.size} ${stat.mtimeNs}` };
}
