import type { AttachPoint } from './language/outline.js';

/** What one attach point of a program would attach to, from the lists of what can be traced. */
export interface JudgedAttachPoint {
  /** As the program has it. */
  attach_point: string;
  found: 'yes' | 'no' | 'unknown';
  /** Probes that it stands for; absent where it is not known. */
  probes?: number;
  /** Some of them, where it stands for several. */
  names?: string[];
  /** Why not, or why it is not known. */
  note?: string;
}

export interface ProbeLists {
  /** Of a pattern: how many probes match, and some of their names. */
  expand(pattern: string, limit: number): Promise<{ names: string[]; total: number }>;
}

export const ONLY_ATTACHING_TELLS = 'only attaching would tell';

const ALWAYS_THERE = new Set([
  'begin',
  'end',
  'interval',
  'i',
  'profile',
  'p',
  'software',
  's',
  'self',
  'bench',
  'test',
]);
const KERNEL_FUNCTIONS = new Set(['kprobe', 'k', 'kretprobe', 'kr']);
/** Of these, bpftrace lists every one that can be attached to. */
const LISTED = new Set([
  ...['tracepoint', 't', 'rawtracepoint', 'rt', 'iter', 'it'],
  ...['fentry', 'f', 'fexit', 'fr', 'kfunc', 'kretfunc'],
  ...['uprobe', 'u', 'uretprobe', 'ur', 'usdt', 'U'],
]);
/** `kprobe:f+8`, `uprobe:/bin/bash:0x4710`: a place, which no list has. */
const PLACE = /\+\d|:0x[0-9a-f]+$|:\d+$/i;

export async function judgeAttachPoint(
  point: AttachPoint,
  lists: ProbeLists,
  namesMax: number,
): Promise<JudgedAttachPoint> {
  const provider = point.parts[0] ?? '';
  const judged = (
    found: JudgedAttachPoint['found'],
    rest: Partial<JudgedAttachPoint>,
  ): JudgedAttachPoint => ({
    attach_point: point.text,
    found,
    ...rest,
  });
  if (ALWAYS_THERE.has(provider.toLowerCase())) return judged('yes', { probes: 1 });
  const isKernelFunction = KERNEL_FUNCTIONS.has(provider);
  if (!isKernelFunction && !LISTED.has(provider)) {
    return judged('unknown', { note: ONLY_ATTACHING_TELLS });
  }
  const pattern = point.parts.join(':');
  if (PLACE.test(pattern)) return judged('unknown', { note: ONLY_ATTACHING_TELLS });
  const { names, total } = await lists.expand(pattern, namesMax);
  if (total > 0) return judged('yes', { probes: total, ...(names[0] !== pattern && { names }) });
  // 0.23 lists no iterator on kernels where its iterators run.
  const isIterator = provider === 'iter' || provider === 'it';
  if (isIterator && (await lists.expand('iter:*', 0)).total === 0)
    return judged('unknown', { note: 'bpftrace lists no iterators here, and they may run all the same' });
  if (!isKernelFunction || pattern.includes('*')) return judged('no', { probes: 0, note: 'nothing matches' });
  // A function may be attached to that the list of traceable ones leaves out.
  const any = await lists.expand('kprobe:*', 0);
  return any.total === 0
    ? judged('no', { probes: 0, note: 'this host has no kprobes' })
    : judged('unknown', { note: 'not among the functions that the kernel lists as traceable' });
}
