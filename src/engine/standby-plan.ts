import type { Installation } from '../bpftrace/installation.js';
import { availableMib } from '../guard/available.js';
import type { HostGuard } from '../guard/host-guard.js';
import { STANDBY_IDLE_MS, type StandbyPlan } from '../pool/standbys.js';
import type { Launcher } from '../privilege/launcher.js';

/** Memory that has to be available for a bpftrace to be started before there is a program for it, in MiB. */
const NEEDS_MIB = 512;
/** What stands by is ended by its owner, and only where that fails by whoever keeps it from outliving its owner. */
const SLACK_MS = 60_000;

interface Host {
  installation: Installation;
  launcher: Launcher;
  guard: HostGuard;
}

/**
 * How a bpftrace is started that stands by for a program; undefined where none is to be started now: there is none,
 * or no right to run it, or the machine has no memory to spare.
 * @param lifetimeMs from its program to its end, at the very most
 */
export function planStandby(
  { installation, launcher, guard }: Host,
  args: readonly string[],
  env: Record<string, string>,
  lifetimeMs: number,
): StandbyPlan | undefined {
  const { path } = installation;
  if (!path || launcher.mode === 'none') return undefined;
  if (guard.distress() !== undefined || (availableMib(guard) ?? NEEDS_MIB) < NEEDS_MIB) return undefined;
  return {
    spawn: launcher.plan(path, args, lifetimeMs, env, STANDBY_IDLE_MS + SLACK_MS),
    identity: identityOf(installation, args, env),
  };
}

/** All on which it depends how bpftrace is started, and which one it is. */
export function identityOf(
  { identity }: Installation,
  args: readonly string[],
  env: Record<string, string>,
): string {
  return JSON.stringify([identity, args, env]);
}
