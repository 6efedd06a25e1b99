import { existsSync, readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { AskFailure, ProbeSource } from '../../src/contract/probes.js';
import { withEvents } from './perf-events.js';
import { ProbeList } from './probe-list.js';
import { run } from './run.js';

/** The lists of binaries that are kept, by probes in all; a name takes some 100 bytes. */
const BINARY_PROBES_MAX = 500_000;
/**
 * Probes come and go with modules, and with little else that could be watched: groups of events that a person
 * defines, BPF programs of others. A list as old as this is still given, and made anew meanwhile.
 */
const RENEW_AFTER_MS = 10 * 60_000;

export interface KeptList {
  list: ProbeList;
  /** Counts the lists made: another number, another list. */
  generation: number;
}

interface Kept {
  identity: string;
  since: number;
  made: Promise<KeptList | AskFailure>;
}

let generations = 0;
let kernel: Kept | undefined;
/** Least recently asked for, first to go; sized by probes once they are known. */
const binaries = new LRUCache<string, Kept>({ max: 64 });

/** The list of a source: the one that is kept if nothing has changed, else made anew. Never rejects. */
export function listOf(source: ProbeSource): Promise<KeptList | AskFailure> {
  const isKernel = source.key === 'kernel';
  if (source.identity === undefined) return make(source);
  const identity = isKernel ? `${source.identity}\n${currentKernelState()}` : source.identity;
  const kept = isKernel ? kernel : binaries.get(source.key);
  if (kept?.identity === identity) {
    if (isKernel && performance.now() - kept.since > RENEW_AFTER_MS) renew(kept, source);
    return kept.made;
  }
  const made = make(source);
  const next = { identity, made, since: performance.now() };
  if (isKernel) kernel = next;
  else keepBinary(source.key, next);
  void made.then(result => {
    // A failure is not kept: the next question tries again.
    if (!('failed' in result)) return;
    if (kernel === next) kernel = undefined;
    if (binaries.peek(source.key) === next) binaries.delete(source.key);
  });
  return made;
}

function renew(kept: Kept, source: ProbeSource): void {
  kept.since = performance.now();
  void make(source).then(result => {
    if (kernel === kept && !('failed' in result)) kept.made = Promise.resolve(result);
  });
}

function keepBinary(key: string, kept: Kept): void {
  binaries.set(key, kept);
  void kept.made.then(async () => {
    let probes = 0;
    // From the most recently asked for: what no longer fits goes.
    for (const [other, { made }] of [...binaries.entries()]) {
      const result = await made;
      probes += 'failed' in result ? 0 : result.list.names.length;
      if (probes > BINARY_PROBES_MAX && other !== key) binaries.delete(other);
    }
  });
}

async function make(source: ProbeSource): Promise<KeptList | AskFailure> {
  const { stdout, stderr, status } = await run(source.spawn);
  const names = stdout.split('\n').filter(line => /^[a-z]+:/.test(line));
  // What was ended by the bound is a part of a list. A kernel always has some probes; a binary may have none.
  if (status === null) return { failed: { stderr, status } };
  if (names.length === 0 && (status !== 0 || source.key === 'kernel')) return { failed: { stderr, status } };
  generations++;
  return { list: new ProbeList(withEvents(names)), generation: generations };
}

/** Modules are not loaded more often than this; a page and its next share one look. */
const KERNEL_STATE_FRESH_MS = 50;
let kernelState = '';
let kernelStateAt = Number.NEGATIVE_INFINITY;

/** What else the kernel's probes depend on: its modules, and that tracefs is mounted. */
function currentKernelState(): string {
  const now = performance.now();
  if (now - kernelStateAt > KERNEL_STATE_FRESH_MS) {
    kernelState = readKernelState();
    kernelStateAt = now;
  }
  return kernelState;
}

function readKernelState(): string {
  const mounted = existsSync('/sys/kernel/tracing/events') || existsSync('/sys/kernel/debug/tracing/events');
  try {
    // The first word of each line is a name; the counters behind it change all the time.
    return `${mounted} ${readFileSync('/proc/modules', 'latin1').replace(/ .*/g, '')}`;
  } catch {
    return String(mounted); // A kernel without modules.
  }
}
