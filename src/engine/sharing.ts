import { createHash } from 'node:crypto';
import type { Client } from './client.js';
import type { Run } from './run.js';

/** With whom an execution may share a child, if the operator lets anybody. */
export const SHARES = ['never', 'starting', 'running'] as const;
export type Share = (typeof SHARES)[number];

/** All that shapes a child, beside the settings of the server. */
interface Shape {
  program: string;
  deadlineMs: number;
  maxLines: number;
}

/**
 * Runs that others may join. Who hands in the very program that somebody else has handed in, with the same deadline,
 * number of lines and policy, gets the same child:
 *
 *   never      a child of its own, and nobody else joins it
 *   starting   a child that waits or starts: it is attached for all of them at once, and has the same deadline
 *   running    also one that is attached already: what it gathered before is told too, and it ends before this
 *              one's own deadline would. Once it is being ended there is nothing more to see of it
 *
 * Nobody shares with themselves: what is handed in twice through one view of the engine runs twice. Under the policy
 * `unsafe` nobody shares at all, since what such a program does to the host would be done once instead of twice.
 */
export class Sharing {
  private readonly runs = new Map<string, Run>();

  constructor(private readonly isOn: boolean) {}

  /** The child that it would share. */
  find(client: Client, shape: Shape, share: Share): Run | undefined {
    const run = share === 'never' ? undefined : this.runs.get(keyOf(client, shape));
    if (!run || run.stopAsked || run.isEnding) return undefined;
    if (
      run.status !== 'queued' &&
      run.status !== 'starting' &&
      !(run.status === 'running' && share === 'running')
    )
      return undefined;
    return [...run.holders].some(({ owner }) => owner === client) ? undefined : run;
  }

  /**
   * A new one. It is forgotten when it has ended, or when a newer one takes its place.
   * @param shape as it was asked for: that of a recording may be another
   */
  add(client: Client, run: Run, shape: Shape, share: Share): void {
    if (!this.isOn || share === 'never' || client.policy.profile === 'unsafe') return;
    const key = keyOf(client, shape);
    this.runs.set(key, run);
    void run.ended.promise.then(() => {
      if (this.runs.get(key) === run) this.runs.delete(key);
    });
  }
}

function keyOf({ policy }: Client, { program, deadlineMs, maxLines }: Shape): string {
  const shape = JSON.stringify([policy.description, deadlineMs, maxLines, program]);
  return createHash('sha256').update(shape).digest('base64');
}
