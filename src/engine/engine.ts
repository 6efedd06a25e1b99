import { Audit, type Submission } from '../audit/audit.js';
import { Installation } from '../bpftrace/installation.js';
import { programMaps } from '../bpftrace/language/program-maps.js';
import { argsUnder, childEnvironment, mapLimits, TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import type { Config } from '../config.js';
import { Command } from '../contract/cell.js';
import { Refusal } from '../contract/errors.js';
import type { SnapshotMethod } from '../contract/snapshot.js';
import type { SpawnPlan } from '../contract/trace.js';
import { watchHost } from '../guard/guard-watch.js';
import { HostGuard } from '../guard/host-guard.js';
import { parseLimits } from '../guard/limits.js';
import { Policy, type Profile } from '../policy/policy.js';
import { ProbePool } from '../pool/probe-pool.js';
import type { StandbyPlan } from '../pool/standbys.js';
import { type LiveTrace, TracePool } from '../pool/trace-pool.js';
import type { Launcher } from '../privilege/launcher.js';
import { FairQueue } from '../queue/fair-queue.js';
import { ResultStore } from '../results/store.js';
import { Admission } from './admission.js';
import { type Client, type ClientTerms, limitsOf } from './client.js';
import { Estimates } from './estimates.js';
import { Execution } from './execution.js';
import { newId, wasIssued } from './ids.js';
import { leaveShared } from './leave.js';
import { PolicyScope } from './policy-scope.js';
import { type EndReport, endReportOf } from './report.js';
import { Run, type RunOptions } from './run.js';
import { type Share, Sharing } from './sharing.js';
import { SnapshotSupport } from './snapshot-support.js';
import { identityOf, planStandby } from './standby-plan.js';
import type { Validation } from './validation.js';
import { compilationQueue } from './validator.js';
import type { Stop } from './verdict.js';

export interface SubmitRequest {
  program: string;
  /** From attached to the end, in ms; the configuration's default if absent. */
  deadlineMs?: number | undefined;
  /** Lines kept, the newest win; the configuration's maximum if absent. */
  maxLines?: number | undefined;
  /** Among the programs of this client that wait, the higher first; 0 if absent. Other clients are not concerned. */
  priority?: number | undefined;
  /** With whom it may share a child, see {@link Sharing}; `starting` if absent. */
  share?: Share | undefined;
}

export interface EngineHooks {
  /** Called once for each execution, when it has ended. */
  onEnd?: (report: EndReport) => void;
  /** Called once for each program that is handed in, with what was decided. */
  onSubmit?: (submission: Submission) => void;
  /** A bpftrace that stood by for a program was of no use, and why; no program suffered from it. */
  onStandbyLost?: (why: string) => void;
  /** The audit file can't be written any more, and why; or, with nothing, it can again. */
  onAuditProblem?: (problem: string | undefined) => void;
}

/** The largest share of the maps' room that one map may take. */
const MAP_SHARE = 1 / 4;
/** Beyond every bound of a child's life, before a wrapper outside our reach ends it. */
const LIFETIME_SLACK_MS = 5000;
/** A bpftrace that only lists. */
const LISTING_BOUND_MS = 60_000;

/**
 * The parts, wired: programs go down into the queue and the pool, results come back up from the ring and the
 * store. It knows executions, not who asked: that is what {@link ClientView} adds.
 */
export class Engine {
  readonly installation: Installation;
  readonly queue: FairQueue<Run>;
  readonly estimates: Estimates<Run>;
  readonly snapshots: SnapshotSupport;
  readonly guard: HostGuard;
  readonly audit: Audit | undefined;
  private readonly pool: TracePool;
  private readonly policy: Policy;
  private readonly scopes = new Map<Profile, PolicyScope>();
  private readonly compiling = compilationQueue();
  private readonly probeThread = new ProbePool();
  private readonly active = new Map<string, Execution>();
  private readonly finished: ResultStore<Execution>;
  private readonly admission: Admission;
  private readonly sharing: Sharing;
  private readonly closed = new AbortController();

  constructor(
    readonly config: Config,
    private readonly hooks: EngineHooks,
    /** How bpftrace gets its rights. */
    readonly launcher: Launcher,
  ) {
    this.policy = new Policy(config.policy, config);
    this.installation = new Installation(config.bpftrace, this.launcher);
    this.snapshots = new SnapshotSupport(this.installation);
    this.queue = new FairQueue(config.concurrency, config.queueLimit);
    this.estimates = new Estimates(this.queue);
    this.pool = new TracePool({
      threads: config.concurrency,
      maxLines: config.maxLines,
      maxOutputBytes: config.maxOutputBytes,
      maxMapBytes: config.maxMapBytes,
      ...(config.standby > 0 && {
        standby: {
          most: config.standby,
          plan: () => this.standbyPlan(),
          onLost: why => this.tellLost(why),
        },
      }),
    });
    this.guard = new HostGuard(parseLimits(config.hostGuard) ?? {});
    this.audit = auditOf(config, hooks);
    this.sharing = new Sharing(config.share === 'on');
    this.admission = new Admission({
      config,
      guard: this.guard,
      installation: this.installation,
      launcher,
      queue: this.queue,
      open: () => [...this.active.values()],
      freeInS: executions => this.estimates.freeInS(executions.map(({ job }) => job)),
      audit: this.audit,
      onSubmit: hooks.onSubmit,
    });
    const isRunning = (): boolean => this.active.size > 0 || this.pool.standbyCount > 0;
    const relieve = (why: string): void => {
      void this.pool.dismissStandbys();
      this.stopAll({ cause: 'distress', why });
    };
    watchHost(this.guard, isRunning, relieve, this.closed.signal);
    this.finished = new ResultStore({
      ttlMs: config.resultTtlS * 1000,
      maxCount: config.maxResults,
      maxBytes: config.maxResultsBytes,
    });
  }

  /** @param name whose executions they are; clients see and stop only their own */
  client(name: string, { policy, limits = {} }: ClientTerms): Client {
    return {
      name,
      policy: policy ? this.policy.atMost(policy) : this.policy,
      limits: limitsOf(limits, this.config),
    };
  }

  /** What holds under a client's policy. */
  scope({ policy }: Client): PolicyScope {
    const known = this.scopes.get(policy.profile);
    if (known) return known;
    const { installation, probeThread, compiling } = this;
    const plan = (args: readonly string[], lifetimeMs?: number) => this.plan(args, lifetimeMs);
    const scope = new PolicyScope(policy, { installation, probeThread, compiling, plan });
    this.scopes.set(policy.profile, scope);
    return scope;
  }

  /** @throws Refusal */
  submit(client: Client, request: SubmitRequest): Execution {
    const { share = 'starting', priority = 0 } = request;
    const id = newId();
    const shape = {
      deadlineMs: request.deadlineMs ?? this.config.defaultTimeoutS * 1000,
      maxLines: request.maxLines ?? this.config.maxLines,
    };
    const { program, joined } = this.admission.run(client, request, id, shape.deadlineMs, text => {
      return this.sharing.find(client, { ...shape, program: text }, share);
    });
    const run = joined ?? this.newRun(id, client, { ...shape, program });
    if (!joined) this.sharing.add(client, run, share);
    const execution = new Execution({ id, owner: client, priority, run });
    this.active.set(id, execution);
    this.queue.offer(execution);
    void execution.ended.promise.then(() => this.hasEnded(execution));
    return execution;
  }

  private newRun(
    id: string,
    client: Client,
    shape: Pick<RunOptions, 'program' | 'deadlineMs' | 'maxLines'>,
  ): Run {
    const { graceS, floodS, floodBytesPerS } = this.config;
    const path = this.admission.requireBpftrace();
    const { diagnostician } = this.scope(client);
    const run = new Run({
      id,
      ...shape,
      graceS,
      floodS,
      floodBytesPerS,
      snapshots: this.snapshots,
      start: snapshots => this.start(path, client.policy.profile, run, snapshots),
      explain: (stderr, lastLine) => diagnostician.explain(stderr, { program: shape.program, lastLine }),
    });
    void run.ended.promise.then(() => this.estimates.learn(run, run.durationMs));
    return run;
  }

  private hasEnded(execution: Execution): void {
    execution.endedAt = new Date();
    this.active.delete(execution.id);
    // One that left a run which goes on gives back its part of the slot.
    this.queue.leave(execution);
    this.finished.add(execution, execution.owner.limits.resultBytes);
    const report = endReportOf(execution);
    this.audit?.ended(report);
    try {
      this.hooks.onEnd?.(report);
    } catch {
      // The hook's own fault must not take the engine down.
    }
  }

  /** What a program means here, without running it. @throws Refusal */
  validate(client: Client, text: string, signal: AbortSignal): Promise<Validation> {
    return this.scope(client).validator.validate(client.name, this.admission.validate(client, text), signal);
  }

  /** @throws Refusal `unknown_execution` or `result_gone` */
  find(client: string, id: string): Execution {
    const execution = this.active.get(id) ?? this.finished.get(id);
    if (execution && execution.client === client) return execution;
    if (!execution && wasIssued(id)) {
      throw new Refusal(
        'result_gone',
        `the result of execution ${id} has been forgotten`,
        `results are kept ${this.config.resultTtlS} s after the end, and less when ${this.config.maxResults} newer ones or ${this.config.maxResultsBytes} bytes are reached; run the program again`,
      );
    }
    throw new Refusal(
      'unknown_execution',
      `there is no execution ${JSON.stringify(id.slice(0, 80))}`,
      'pass the execution_id that exec_program gave, whole; list_executions shows yours',
    );
  }

  /** Of one client, newest first. */
  list(client: string): Execution[] {
    const active = [...this.active.values()].reverse().filter(execution => execution.client === client);
    return [...active, ...this.finished.of(client)];
  }

  /** The child goes on while others share it, but for an end that is meant for everybody. */
  stop(execution: Execution, stop: Stop, command: Command = Command.stop): void {
    const { job: run } = execution;
    if (execution.verdict) return;
    const others = [...run.holders].some(holder => holder !== execution && !holder.isLeaving);
    if (run.status === 'queued') {
      if (this.queue.leave(execution)) run.stopUnstarted(stop);
      else execution.leaveUnstarted(stop);
    } else if (stop.cause === 'stop' && others) {
      void leaveShared(execution, stop);
    } else {
      execution.stop(stop, command);
    }
  }

  /** A client is there: a bpftrace is started that waits for its program. */
  keepReady(): void {
    this.pool.keepReady();
  }

  get counts(): {
    standby: number;
    running: number;
    queued: number;
    finished: number;
    finishedBytes: number;
  } {
    return {
      standby: this.pool.standbyCount,
      running: this.queue.running,
      queued: this.queue.length,
      finished: this.finished.count,
      finishedBytes: this.finished.bytes,
    };
  }

  /**
   * Stops everything and waits until no child is left. Call it again with `hurry` to skip the grace period.
   * What was gathered can still be read afterwards.
   */
  async close(options: { hurry?: boolean } = {}): Promise<void> {
    this.admission.closed = true;
    this.closed.abort();
    const command = options.hurry ? Command.kill : Command.stop;
    void this.pool.dismissStandbys();
    const active = this.stopAll({ cause: 'shutdown' }, command);
    this.installation.close();
    for (const scope of this.scopes.values()) scope.close();
    await Promise.all(active.map(execution => execution.ended.promise));
    await Promise.all([this.pool.close(), this.probeThread.close()]);
    this.audit?.close();
  }

  /** The newest first: what waits has no chance to begin. */
  private stopAll(stop: Stop, command: Command = Command.stop): Execution[] {
    const active = [...this.active.values()].reverse();
    for (const execution of active) this.stop(execution, stop, command);
    return active;
  }

  private start(
    path: string,
    profile: Profile,
    { options }: Run,
    snapshots: SnapshotMethod | undefined,
  ): LiveTrace {
    const { config, launcher } = this;
    const { deadlineMs, program, maxLines } = options;
    const startTimeoutMs = config.startTimeoutS * 1000;
    const graceMaxMs = config.graceMaxS * 1000;
    const lifetimeMs = this.lifetimeMs(deadlineMs);
    const env = this.environment;
    const args = argsUnder(profile, TRACE_ARGS);
    const live = this.pool.start({
      spawn: launcher.plan(path, args, lifetimeMs, env),
      identity: identityOf(this.installation, args, env),
      program,
      programMaps: { ...programMaps(program), ...mapLimits(env) },
      snapshots,
      maxLines,
      deadlineMs,
      startTimeoutMs,
      graceMs: config.graceS * 1000,
      graceMaxMs,
      mapBytesMax: config.maxMapBytes * MAP_SHARE,
      ...(config.floodBytesPerS > 0 && {
        flood: { bytesPerS: config.floodBytesPerS, forMs: config.floodS * 1000 },
      }),
    });
    void this.installation.version().then(version => live.cell.tellVersion(version));
    return live;
  }

  private standbyPlan(): StandbyPlan | undefined {
    if (this.admission.closed) return undefined;
    const lifetimeMs = this.lifetimeMs(this.config.maxTimeoutS * 1000);
    return planStandby(this, argsUnder(this.config.policy, TRACE_ARGS), this.environment, lifetimeMs);
  }

  private tellLost(why: string): void {
    try {
      this.hooks.onStandbyLost?.(why);
    } catch {
      // The hook's own fault must not take the engine down.
    }
  }

  /** The very longest that a child with this deadline can live. */
  private lifetimeMs(deadlineMs: number): number {
    const { startTimeoutS, graceMaxS } = this.config;
    return (startTimeoutS + graceMaxS) * 1000 + deadlineMs + LIFETIME_SLACK_MS;
  }

  private get environment(): Record<string, string> {
    return childEnvironment(process.env, this.config.maxProbes);
  }

  /** A bpftrace that lists something. */
  private plan(args: readonly string[], lifetimeMs = LISTING_BOUND_MS): SpawnPlan {
    return this.launcher.plan(this.admission.requireBpftrace(), args, lifetimeMs, this.environment);
  }
}

function auditOf(config: Config, hooks: EngineHooks): Audit | undefined {
  if (config.auditLog === '') return undefined;
  const options = {
    path: config.auditLog,
    maxBytes: config.auditMaxBytes,
    keep: config.auditFiles,
    programs: config.auditPrograms === 'on',
    required: config.auditRequired === 'on',
  };
  return new Audit(options, hooks.onAuditProblem);
}
