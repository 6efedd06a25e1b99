import { EMPTY_BOARD, encodeBoard } from '../contract/board.js';
import { initRing, RingViews, ringBytes } from '../contract/ring.js';
import type { Contents } from '../results/store.js';
import type { Stop, Verdict } from './verdict.js';

/** Lines and maps that change no more. */
export interface Sealed extends Contents {
  readonly ring: RingViews;
  readonly board: Uint8Array;
}

/** What is kept of a run, or of one's part in it, that has ended. */
export interface Kept {
  verdict: Verdict;
  contents: Sealed;
  attachedProbes: number;
  attachedAtMs: number;
  lostEvents: number;
  snapshotAtMs: number;
  durationMs: number;
  /** Processes of its group were still being torn down by the kernel when it was given up. */
  leftBehind: boolean;
  /** Absent when there was no process that could give one. */
  exitCode?: number | null;
}

export const EMPTY_RING = initRing(new ArrayBuffer(ringBytes(0, 0)), 0, 0);

export function sealed(lines: ArrayBuffer, board: Uint8Array): Sealed {
  return { ring: new RingViews(lines), board, bytes: lines.byteLength + board.byteLength };
}

/** Of what never ran. */
export function keptOfNothing(verdict: Verdict): Kept {
  return {
    verdict,
    contents: { ring: EMPTY_RING, board: encodeBoard(EMPTY_BOARD), bytes: 0 },
    attachedProbes: -1,
    attachedAtMs: 0,
    lostEvents: 0,
    snapshotAtMs: 0,
    durationMs: 0,
    leftBehind: false,
  };
}

/** How that ends which never ran. */
export function unstarted({ cause, why }: Stop): Verdict {
  return {
    status: 'stopped',
    endedBy: cause,
    message: why === undefined ? 'stopped before it began' : `stopped before it began: ${why}`,
    diagnostics: [],
  };
}
