import { ArrayTaskQueue, Piscina } from 'piscina';
import type { ProbeReplies, ProbeRequest, ProbeThread, ProbeThreadData } from '../contract/probes.js';
import { handOver } from './hand-over.js';

/** Questions that one thread works on at once; those that wait for a bpftrace cost it nothing. */
const QUESTIONS_AT_ONCE = 64;

/**
 * The one worker thread that holds the probe lists: 150,000 names are parsed, indexed and searched there, never
 * on the main thread. It starts with the first question and lives as long as the server, since the lists live
 * in it; should it die, the next question starts another.
 */
export class ProbePool implements ProbeThread {
  private readonly waiting = new ArrayTaskQueue();
  private readonly thread: Piscina<ProbeRequest, ProbeReplies[ProbeRequest['kind']]>;

  constructor(data: ProbeThreadData) {
    this.thread = new Piscina({
      workerData: data,
      filename: new URL('../../workers/probes/answer.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      concurrentTasksPerWorker: QUESTIONS_AT_ONCE,
      idleTimeout: Number.POSITIVE_INFINITY,
      // 'sync' parks an idle thread in Atomics.wait, where it would see nothing of its children.
      atomics: 'disabled',
      taskQueue: this.waiting,
    });
    this.thread.on('error', () => {}); // A crash reaches us through the questions it takes down.
  }

  async ask<Kind extends ProbeRequest['kind']>(
    request: Extract<ProbeRequest, { kind: Kind }>,
  ): Promise<ProbeReplies[Kind]> {
    // The thread answers each kind with its own reply.
    return (await handOver(this.thread, this.waiting, request)) as ProbeReplies[Kind];
  }

  /** Ends the thread. A bpftrace that it waits for is ended by its death, as that of any owner. */
  close(): Promise<void> {
    return this.thread.destroy();
  }
}
