import type { Profile } from '../policy/policy.js';
import { SYSTEM_PATH } from '../privilege/executable.js';

/**
 * What is on the command line and in the environment of every bpftrace that runs a program. `-f json` for
 * records, `-` for the program on standard input; nothing of a caller's ever stands here.
 */
export const TRACE_ARGS: readonly string[] = ['-f', 'json', '-'];

/** Only the operator can choose a policy, and with it bpftrace's unsafe mode. */
export function argsUnder(policy: Profile, args: readonly string[]): readonly string[] {
  return policy === 'unsafe' ? ['--unsafe', ...args] : args;
}

/**
 * How glibc gives bpftrace its memory: in huge pages where the kernel offers them on request (glibc 2.35 or newer,
 * /sys/kernel/mm/transparent_hugepage/enabled), and in few large steps. Half of a start's page faults go away, and with
 * them a fifth of its processor time; what it holds stays the same within some MB. Whoever does not know a tunable
 * passes it over. The supervisor (supervisor.pl) has its own copy.
 */
const GLIBC_TUNABLES = [
  'glibc.malloc.hugetlb=1',
  'glibc.malloc.mmap_threshold=33554432',
  'glibc.malloc.top_pad=4194304',
].join(':');

/**
 * The operator's BPFTRACE_* settings pass, everything else is scrubbed; UTF-8 so that text is not mangled. What
 * stands in the environment wins over a program's own `config`.
 * @param maxProbes that a program may attach to; 0: as bpftrace or the operator's environment has it
 */
export function childEnvironment(env: NodeJS.ProcessEnv, maxProbes = 0): Record<string, string> {
  const kept: Record<string, string> = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', GLIBC_TUNABLES };
  // To read a variable of process.env costs more than to know its name.
  for (const name of Object.keys(env)) {
    if (!/^BPFTRACE_(?!MCP_|PASSWD$)/.test(name)) continue;
    const value = env[name];
    if (value !== undefined) kept[name] = value;
  }
  if (maxProbes > 0) {
    kept.BPFTRACE_MAX_PROBES = String(maxProbes);
    kept.BPFTRACE_MAX_BPF_PROGS = String(maxProbes);
  }
  return kept;
}

/** The limits of maps and strings that the environment sets, under their names in 0.17 and in later releases; absent: bpftrace's own. */
export function mapLimits(env: Record<string, string>): { keysMax?: number; stringBytesMax?: number } {
  const keysMax = Number(env.BPFTRACE_MAX_MAP_KEYS ?? env.BPFTRACE_MAP_KEYS_MAX);
  const stringBytesMax = Number(env.BPFTRACE_MAX_STRLEN ?? env.BPFTRACE_STRLEN);
  return { ...(keysMax > 0 && { keysMax }), ...(stringBytesMax > 0 && { stringBytesMax }) };
}
