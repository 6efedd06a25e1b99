import type { Answer } from './types.js';

/**
 * What `bpftrace --info` says about itself and the kernel.
 *
 * 0.17 prints one `name: yes` a line, on stderr; 0.23 and 0.27 print two a line, padded, on stdout. The
 * sets differ: 0.27 no longer reports kprobe, tracepoint, map types or fentry. A missing name is "unknown".
 * The answers are bpftrace's own tests, not attachments: `kprobe: yes` only says that a program of that
 * *type* loads, and 0.23 says `iter: no` on a kernel where its iterators run.
 */
export interface HostFeatures {
  version?: string;
  llvm?: string;
  kernel?: string;
  arch?: string;
  instructionLimit?: number;
  features: Record<string, Answer>;
}

/** Names that changed between versions, all read as the newest one. */
const RENAMED: Record<string, string> = { kfunc: 'fentry' };

// Names hold colons (`iter:task`) and remarks in brackets; a value ends at the padding before a second pair.
const PAIR = /(\S+(?: \S+)*?): +(\S+(?: \S+)*)/g;

export function hostFeatures(infoText: string): HostFeatures {
  const features: Record<string, Answer> = {};
  const result: HostFeatures = { features };
  for (const line of infoText.split('\n')) {
    // Every pair is indented; warnings (RLIMIT_MEMLOCK on 0.17) and section titles are not.
    if (!line.startsWith('  ')) continue;
    for (const [, name, value] of line.matchAll(PAIR)) {
      if (name !== undefined && value !== undefined) enter(result, name, value);
    }
  }
  return result;
}

function enter(result: HostFeatures, name: string, value: string): void {
  switch (name) {
    case 'OS':
      result.kernel = value;
      return;
    case 'Arch':
      result.arch = value;
      return;
    case 'version':
      result.version = value;
      return;
    case 'LLVM':
      result.llvm = value;
      return;
    case 'Instruction limit':
      if (/^\d+$/.test(value)) result.instructionLimit = Number(value);
      return;
  }
  const plain = name.replace(/ \(.*\)$/, '');
  result.features[RENAMED[plain] ?? plain] = value === 'yes' || value === 'no' ? value : 'unknown';
}
