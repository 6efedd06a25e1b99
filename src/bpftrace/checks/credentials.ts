import { readText } from './kernel.js';

/** Who this process is to the kernel, from /proc/self. */
export interface Credentials {
  uid: number;
  /** Root of a user namespace only: the kernel grants such a root no BPF, whatever its capabilities say. */
  inUserNamespace: boolean;
  effective: bigint;
  /** The most that a child started through sudo can get. */
  bounding: bigint;
  /** Soft limit; undefined when it could not be read. */
  memlockBytes: number | undefined;
}

/** Bit numbers from the kernel's include/uapi/linux/capability.h. */
export const CAPABILITY = { SYS_ADMIN: 21, SYS_RESOURCE: 24, PERFMON: 38, BPF: 39 } as const;

export function holds(set: bigint, capability: keyof typeof CAPABILITY): boolean {
  return ((set >> BigInt(CAPABILITY[capability])) & 1n) === 1n;
}

/** CAP_BPF and CAP_PERFMON were split off CAP_SYS_ADMIN in Linux 5.8, which still includes them. */
export function mayUseBpf(set: bigint): boolean {
  return holds(set, 'SYS_ADMIN') || (holds(set, 'BPF') && holds(set, 'PERFMON'));
}

export async function readCredentials(): Promise<Credentials> {
  const [status, limits, uidMap] = await Promise.all([
    readText('/proc/self/status'),
    readText('/proc/self/limits'),
    readText('/proc/self/uid_map'),
  ]);
  return {
    uid: process.geteuid?.() ?? -1,
    inUserNamespace: uidMap !== undefined && !coversEveryUid(uidMap),
    effective: capabilitySet(status, 'CapEff'),
    bounding: capabilitySet(status, 'CapBnd'),
    memlockBytes: memlockLimit(limits),
  };
}

/** The initial user namespace maps all 2^32 - 1 ids onto themselves. */
function coversEveryUid(uidMap: string): boolean {
  return uidMap.trim().split(/\s+/).join(' ') === '0 0 4294967295';
}

function capabilitySet(status: string | undefined, name: string): bigint {
  const hex =
    status === undefined ? undefined : new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return hex === undefined ? 0n : BigInt(`0x${hex}`);
}

function memlockLimit(limits: string | undefined): number | undefined {
  const soft = limits && /^Max locked memory +(\S+)/m.exec(limits)?.[1];
  if (!soft) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
