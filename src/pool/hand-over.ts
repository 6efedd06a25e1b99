import type { ArrayTaskQueue, Piscina } from 'piscina';

/** No thread could be started for a task: it was not begun, and will not be. */
export class NoThread extends Error {}

type RunOptions = Parameters<Piscina['run']>[1];

/**
 * Hands a task to a pool whose queue is `waiting`. Where no thread can be started for it (EAGAIN), Piscina throws and
 * leaves the task in its queue: it would be run later, when nobody waits for it any longer, and the promise that
 * nobody has would be rejected. So it is taken out again.
 * @throws NoThread
 */
export function handOver<Task, Reply>(
  pool: Piscina<Task, Reply>,
  waiting: ArrayTaskQueue,
  task: Task,
  options?: RunOptions,
): Promise<Reply> {
  const before = waiting.size;
  try {
    return pool.run(task, options);
  } catch (error) {
    if (waiting.size > before) waiting.tasks.pop();
    const why = error instanceof Error ? error.message : String(error);
    throw new NoThread(
      `no worker thread could be started: ${why}; lower --concurrency, or raise the limit of processes (ulimit -u, the container)`,
    );
  }
}
