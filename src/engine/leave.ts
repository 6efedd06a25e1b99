import { NO_MAPS } from '../bpftrace/snapshot-plan.js';
import type { Execution } from './execution.js';
import { takeSnapshot } from './snapshot.js';
import type { Stop } from './verdict.js';

/** It takes 0.1 s, more where bpftrace is busy. */
const SNAPSHOT_BOUND_MS = 5000;

/**
 * Ends one of several executions that share a child, which goes on for the others: it keeps the lines of that moment,
 * and its maps are read as a snapshot where that can be done. Should the child end meanwhile, its end is the end of
 * this one too.
 */
export async function leaveShared(execution: Execution, stop: Stop): Promise<void> {
  execution.beginToLeave(stop);
  const isRunning = execution.status === 'running';
  const missing = isRunning ? await takeSnapshot(execution, { boundMs: SNAPSHOT_BOUND_MS }) : undefined;
  const maps =
    missing === undefined || missing === NO_MAPS ? undefined : `its maps could not be read: ${missing}`;
  execution.leave(stop, maps);
}
