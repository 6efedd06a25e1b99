import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../src/contract/cell.js';
import type { TraceTask } from '../src/contract/trace.js';
import { untilAttached } from './attach-watch.js';
import type { Exit, StartedChild } from './child.js';
import { endChild } from './ending.js';
import { watchFlood } from './flood-watch.js';
import { serveSnapshots } from './snapshots.js';
import type { Follower, Source } from './source.js';

/** Pipes that something outside the process group still holds open are given up after this long. */
const PIPES_AFTER_EXIT_MS = 2000;
const GROUP_AFTER_EXIT_MS = 2000;

/** A bpftrace that has been started: looked at from outside, and held to its bounds. */
export class LiveSource implements Source {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly now = monotonicMs;
  private readonly closed: Promise<unknown>;
  private readonly notHurried: () => void;
  private follower: Follower | undefined;

  constructor(
    private readonly task: TraceTask,
    private readonly started: StartedChild,
  ) {
    const { child, pid, exited, output } = started;
    this.pid = pid;
    this.exited = exited;
    // Until everything is attached, since its first line may tell that.
    this.notHurried = output.eager();
    this.closed = once(child, 'close').catch(() => {});
    child.on('error', () => {}); // A later one is a signal that could not be sent; the ladder sees that itself.
  }

  lead(follower: Follower): void {
    const { task } = this;
    const { handle, output } = this.started;
    const { counters, bell, gone, over, outputBytes } = follower;
    this.follower = follower;
    let timer = setTimeout(() => follower.end('start_timeout'), task.startTimeoutMs);
    gone.addEventListener('abort', () => clearTimeout(timer));
    const attached = (): void => {
      if (!follower.attached()) return;
      clearTimeout(timer);
      this.notHurried();
      handle.watch(0);
      timer = setTimeout(() => follower.end('deadline'), task.deadlineMs);
      if (task.flood) watchFlood(task.flood, outputBytes, over, () => follower.end('flood'));
      if (!task.snapshots) return;
      void serveSnapshots({
        handle,
        cell: follower.cell,
        method: task.snapshots,
        reader: follower.snapshotReader,
        output,
        outputBytes,
        lostEvents: () => counters.lostEvents,
        over,
        publish: (maps, atMs) => follower.showSnapshot(maps, atMs),
        witness: follower.witness,
      });
    };
    void untilAttached({ handle, counters, bell, ended: gone }).then(yes => yes && attached());
  }

  stop(end: () => void): void {
    end();
  }

  end(hurry: AbortSignal): Promise<boolean> {
    const { task, exited, follower } = this;
    return endChild({
      handle: this.started.handle,
      graceMs: task.graceMs,
      graceMaxMs: task.graceMaxMs,
      exited: exited.then(() => {}),
      hurry,
      output: this.started.output,
      outputBytes: () => follower?.outputBytes() ?? 0,
    });
  }

  async finish(): Promise<boolean> {
    const { handle, output, stderr } = this.started;
    const cleared = await handle.clear(GROUP_AFTER_EXIT_MS);
    output.eager();
    await Promise.race([Promise.all([this.closed, output.ended]), sleep(PIPES_AFTER_EXIT_MS)]);
    output.close();
    stderr.destroy();
    return cleared;
  }

  get ranNothing(): boolean {
    return this.started.inputBroke;
  }
}
