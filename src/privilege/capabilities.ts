import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SYSTEM_PATH } from './executable.js';

/** Bit numbers from the kernel's include/uapi/linux/capability.h. */
const [SYS_ADMIN, PERFMON, BPF] = [21n, 38n, 39n];
const PROOF_BOUND_MS = 10_000;

/**
 * Whether bpftrace can trace with the capabilities that a child of this process inherits (the ambient ones).
 * Found out by doing it: 0.17 and 0.23 insist on uid 0 whatever the capabilities, 0.27 wants CAP_BPF, CAP_PERFMON,
 * CAP_DAC_READ_SEARCH and CAP_DAC_OVERRIDE.
 */
export function canTraceByCapabilities(bpftracePath: string): boolean {
  const ambient = ambientCapabilities();
  const has = (bit: bigint): boolean => ((ambient >> bit) & 1n) === 1n;
  if (!has(SYS_ADMIN) && !(has(BPF) && has(PERFMON))) return false;
  const { stdout } = spawnSync(bpftracePath, ['-f', 'json', '-'], {
    env: { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' },
    cwd: '/',
    input: 'BEGIN { printf("ok\\n"); exit(); }',
    encoding: 'utf8',
    timeout: PROOF_BOUND_MS,
  });
  return /"ok\\n"/.test(stdout ?? '');
}

function ambientCapabilities(): bigint {
  try {
    const hex = /^CapAmb:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return hex === undefined ? 0n : BigInt(`0x${hex}`);
  } catch {
    return 0n;
  }
}
