import type { AuditState } from '../audit/audit.js';
import type { Refusal } from '../contract/errors.js';
import type { Engine } from './engine.js';

/** How an engine stands at a moment, for whoever looks after it. */
export interface EngineState {
  /** Why any program would be refused now, whoever asked; empty: programs run. */
  obstacles: Refusal[];
  running: number;
  queued: number;
  /** Clients that wait or hold a slot. */
  clients: number;
  /** Executions that may run at once now, and at most. */
  slots: number;
  slotsMost: number;
  standby: number;
  threads: number;
  finished: number;
  finishedBytes: number;
  audit?: AuditState;
}

export function stateOf({ audit, counts, obstacles, queue, sizing }: Engine): EngineState {
  return {
    ...counts,
    obstacles,
    clients: queue.clients,
    slots: sizing.state.now,
    slotsMost: sizing.state.most,
    ...(audit && { audit: audit.state }),
  };
}
