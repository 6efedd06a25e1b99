import { groupMemory } from './control-group.js';
import type { HostGuard } from './host-guard.js';

/** MiB that a process of ours may still take: of the machine's, and of what the control groups around us allow. */
export function availableMib(guard: HostGuard): number | undefined {
  const left = Math.min(
    guard.readings().available ?? Number.POSITIVE_INFINITY,
    groupMemory()?.leftMib ?? Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(left) ? left : undefined;
}
