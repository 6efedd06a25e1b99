import type { ProbeFilter } from '../../contract/probes.js';
import { longProvider, SHORTENED_PROVIDERS } from '../language/providers.js';

/**
 * What a filter of `list_probes` means. In this order:
 *
 *   struct task_struct   a type of the kernel, and behind it which of its members: `struct task_struct *cpu*`
 *   struct tcp_*         the names of such types
 *   uprobe:/bin/bash:*   the functions (uprobe, uretprobe) or static probes (usdt) of a binary
 *   tracepoint:sys*:*    bpftrace's own pattern, with the short provider names: anything with a `*` or `:`
 *   syscalls:*open*      the same behind any provider, which bpftrace itself understands from 0.27 on
 *   tcp retransmit       anything else is words; nothing at all is everything
 */
export type FilterMeaning =
  | { kind: 'type'; type: string; members: string }
  | { kind: 'binary'; provider: string; path: string; filter: ProbeFilter }
  | { kind: 'kernel'; filter: ProbeFilter };

const PROVIDERS = new Set([...SHORTENED_PROVIDERS, 'kfunc', 'kretfunc']);
const IN_BINARIES = new Set(['uprobe', 'uretprobe', 'usdt']);
const TYPE = /^((?:struct|union|enum)\s+[A-Za-z_*][\w*]*)(?:[\s.]+(\S+))?$/;

export function meaningOf(filter: string): FilterMeaning {
  if (filter === '') return { kind: 'kernel', filter: { kind: 'pattern', rest: '*' } };
  const type = TYPE.exec(filter);
  if (type?.[1]) return { kind: 'type', type: type[1].replace(/\s+/, ' '), members: type[2] ?? '' };
  if (!/[*:]/.test(filter)) return { kind: 'kernel', filter: { kind: 'words', text: filter } };
  const colon = filter.indexOf(':');
  const head = filter.slice(0, Math.max(colon, 0));
  const provider = longProvider(head);
  const rest = filter.slice(colon + 1);
  if (!PROVIDERS.has(provider)) return { kind: 'kernel', filter: { kind: 'pattern', rest: filter } };
  const binary = /^([^:]+)(?::(.*))?$/.exec(rest);
  if (IN_BINARIES.has(provider) && binary?.[1]) {
    const [, path, functions = '*'] = binary;
    return { kind: 'binary', provider, path, filter: { kind: 'pattern', provider, rest: functions || '*' } };
  }
  return { kind: 'kernel', filter: { kind: 'pattern', provider, rest: rest || '*' } };
}
