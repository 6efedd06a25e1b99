import type { Audit } from '../audit/audit.js';
import type { Config } from '../config.js';
import { Command, WORD } from '../contract/cell.js';
import type { TracePool } from '../pool/trace-pool.js';
import type { FairQueue } from '../queue/fair-queue.js';
import type { Replay } from '../recording/replay.js';
import type { Admission } from './admission.js';
import type { Client } from './client.js';
import type { Estimates } from './estimates.js';
import { Execution } from './execution.js';
import type { Executions } from './executions.js';
import { type EngineHooks, tell } from './hooks.js';
import { newId } from './ids.js';
import type { Launching } from './launching.js';
import { leaveShared } from './leave.js';
import type { PolicyServices } from './policy-services.js';
import { Played } from './replayed-run.js';
import { endReportOf } from './report.js';
import type { SubmitRequest } from './request.js';
import { Run, type RunOptions } from './run.js';
import { Sharing } from './sharing.js';
import type { SnapshotSupport } from './snapshot-support.js';
import type { Stop } from './verdict.js';

interface TracingParts {
  config: Config;
  hooks: EngineHooks;
  admission: Admission;
  executions: Executions;
  queue: FairQueue<Run>;
  pool: TracePool;
  launching: Launching;
  services: PolicyServices;
  snapshots: SnapshotSupport;
  estimates: Estimates<Run>;
  audit: Audit | undefined;
  /** What is run in place of bpftraces. */
  replay: Replay | undefined;
}

/** Executions, from being handed in to their end. */
export class Tracing {
  private readonly sharing: Sharing;

  constructor(private readonly parts: TracingParts) {
    this.sharing = new Sharing(parts.config.share === 'on');
  }

  /** @throws Refusal */
  submit(client: Client, request: SubmitRequest): Execution {
    const { config, admission, executions, queue } = this.parts;
    const { share = 'starting', priority = 0 } = request;
    const id = newId();
    const shape = {
      deadlineMs: request.deadlineMs ?? config.defaultTimeoutS * 1000,
      maxLines: request.maxLines ?? config.maxLines,
    };
    const { program, joined } = admission.run(client, request, id, shape.deadlineMs, text => {
      return this.sharing.find(client, { ...shape, program: text }, share);
    });
    const run = joined ?? this.newRun(id, client, { ...shape, program });
    if (!joined) this.sharing.add(client, run, { ...shape, program }, share);
    const execution = new Execution({ id, owner: client, priority, run });
    executions.add(execution);
    queue.offer(execution);
    void execution.ended.promise.then(() => this.hasEnded(execution));
    return execution;
  }

  private newRun(
    id: string,
    client: Client,
    shape: Pick<RunOptions, 'program' | 'deadlineMs' | 'maxLines'>,
  ): Run {
    const { config, launching, pool, services, snapshots, estimates, replay } = this.parts;
    const { graceS, floodS, floodBytesPerS } = config;
    const path = launching.requireBpftrace();
    const { diagnostician } = services.of(client.policy);
    const choice = replay?.choose(shape.program, shape.deadlineMs);
    const played = choice && new Played(choice, config.replayPace === 'fast');
    const run: Run = new Run({
      id,
      ...shape,
      graceS,
      floodS,
      floodBytesPerS,
      snapshots,
      start: plan => {
        if (played) return launching.play(pool, run.options, played);
        return launching.start(pool, path, client.policy.profile, run.options, plan);
      },
      explain: (stderr, lastLine) =>
        diagnostician.explain(stderr, { program: run.options.program, lastLine }),
      ...played?.options,
    });
    void run.ended.promise.then(() => estimates.learn(run, run.durationMs));
    return run;
  }

  private hasEnded(execution: Execution): void {
    const { executions, queue, audit, hooks } = this.parts;
    execution.endedAt = new Date();
    executions.hasEnded(execution);
    // One that left a run which goes on gives back its part of the slot.
    queue.leave(execution);
    const report = endReportOf(execution);
    audit?.ended(report);
    tell(hooks.onEnd, report);
  }

  /** The child goes on while others share it, but for an end that is meant for everybody. */
  stop(execution: Execution, stop: Stop, command: Command = Command.stop): void {
    const { job: run } = execution;
    if (execution.verdict) return;
    const others = [...run.holders].some(holder => holder !== execution && !holder.isLeaving);
    if (run.status === 'queued') {
      if (this.parts.queue.leave(execution)) run.stopUnstarted(stop);
      else execution.leaveUnstarted(stop);
    } else if (stop.cause === 'stop' && others) {
      void leaveShared(execution, stop);
    } else {
      execution.stop(stop, command);
    }
  }

  /** The newest first: what waits has no chance to begin. */
  stopAll(stop: Stop, command: Command = Command.stop): Execution[] {
    const active = this.parts.executions.open.reverse();
    for (const execution of active) this.stop(execution, stop, command);
    return active;
  }

  /** One pid for each child that is attached. */
  pidsAttached(): number[] {
    const pids = this.parts.executions.open.map(({ job }) => {
      return job.attachedAtMs > 0 ? (job.cell?.load(WORD.PID) ?? 0) : 0;
    });
    return [...new Set(pids)].filter(pid => pid > 0);
  }
}
