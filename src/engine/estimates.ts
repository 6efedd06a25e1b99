import { monotonicMs } from '../contract/cell.js';
import type { FairQueue } from '../queue/fair-queue.js';
import type { Forecast } from '../queue/forecast.js';
import type { Job } from '../queue/line.js';

/** What is known of the times of a program that runs or waits; {@link monotonicMs}. */
export interface Timed extends Job {
  readonly deadlineMs: number;
  readonly beganAtMs: number | undefined;
  /** 0 until then. */
  readonly attachedAtMs: number;
}

/** Of what waits. */
export interface Place {
  /** 1 is next. */
  position: number;
  /** s from now until it likely starts. */
  startsInS: number;
}

/** Of a new measurement in an average. */
const WEIGHT = 0.2;
/** Of 0.17 and 0.23; what is measured here takes their place. */
const START_MS = 100;
const END_MS = 110;
/** A forecast is good for so long, if nothing starts, ends or comes. */
const FRESH_MS = 500;

/**
 * When what waits will likely start. A program is taken to hold its slot for: the time that programs took here to
 * attach; of its own deadline the part that programs took here (many call exit() before); the time they took to end.
 * Each is a running average of those that ended here. One that runs is taken to go on for what is left of that, and,
 * when it has run for longer, until its deadline. Then the queue's own rule is played forward. It is no promise: what
 * comes meanwhile may be served before.
 */
export class Estimates<J extends Timed> {
  private startMs = START_MS;
  private endMs = END_MS;
  /** Of the deadline. */
  private part = 1;
  private known: { version: number; atMs: number; jobs: Map<J, Forecast> } | undefined;

  constructor(private readonly queue: FairQueue<J>) {}

  /** One that was attached has ended, and its slot is free. */
  learn({ deadlineMs, beganAtMs, attachedAtMs }: Omit<Timed, 'run'>, tracedMs: number): void {
    if (beganAtMs === undefined || attachedAtMs === 0) return;
    const mix = (old: number, measured: number): number => old + WEIGHT * (Math.max(0, measured) - old);
    this.startMs = mix(this.startMs, attachedAtMs - beganAtMs);
    this.part = mix(this.part, Math.min(1, tracedMs / deadlineMs));
    this.endMs = mix(this.endMs, monotonicMs() - attachedAtMs - tracedMs);
  }

  /** Undefined when it does not wait. */
  of(job: J): Place | undefined {
    const { jobs, atMs } = this.fresh();
    const forecast = jobs.get(job);
    if (!forecast) return undefined;
    const leftMs = Math.max(0, forecast.startsInMs - (monotonicMs() - atMs));
    return { position: forecast.position, startsInS: Math.round(leftMs / 100) / 10 };
  }

  /** Whole s, at least 1, until one of these that run has likely ended; of one alone that it is `ended` at its deadline. */
  freeInS(running: Iterable<J>): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const job of running)
      if (job.beganAtMs !== undefined) soonestMs = Math.min(soonestMs, this.leftMs(job));
    return Number.isFinite(soonestMs) ? Math.max(1, Math.ceil(soonestMs / 1000)) : 1;
  }

  private fresh(): { atMs: number; jobs: Map<J, Forecast> } {
    const { version } = this.queue;
    const atMs = monotonicMs();
    if (this.known?.version === version && atMs - this.known.atMs < FRESH_MS) return this.known;
    const jobs = this.queue.forecast({
      leftMs: job => this.leftMs(job),
      expectedMs: ({ deadlineMs }) => this.startMs + this.part * deadlineMs + this.endMs,
    });
    this.known = { version, atMs, jobs };
    return this.known;
  }

  private leftMs({ deadlineMs, beganAtMs, attachedAtMs }: J): number {
    const nowMs = monotonicMs();
    const usualMs = this.part * deadlineMs;
    if (attachedAtMs === 0)
      return Math.max(0, this.startMs - (nowMs - (beganAtMs ?? nowMs))) + usualMs + this.endMs;
    const tracedMs = nowMs - attachedAtMs;
    return Math.max(0, (tracedMs < usualMs ? usualMs : deadlineMs) - tracedMs) + this.endMs;
  }
}
