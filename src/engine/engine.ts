import type { Audit } from '../audit/audit.js';
import { Installation } from '../bpftrace/installation.js';
import type { Config } from '../config.js';
import { Command, WORD } from '../contract/cell.js';
import type { Refusal } from '../contract/errors.js';
import { watchHost } from '../guard/guard-watch.js';
import { HostGuard } from '../guard/host-guard.js';
import { parseLimits } from '../guard/limits.js';
import { SizeWatch } from '../guard/size-watch.js';
import { mostAtOnce } from '../guard/sizing.js';
import { Policy, type Profile } from '../policy/policy.js';
import { ProbePool } from '../pool/probe-pool.js';
import { TracePool } from '../pool/trace-pool.js';
import type { Launcher } from '../privilege/launcher.js';
import { FairQueue } from '../queue/fair-queue.js';
import { Admission } from './admission.js';
import { type Client, type ClientTerms, limitsOf } from './client.js';
import { Estimates } from './estimates.js';
import { Execution } from './execution.js';
import { Executions } from './executions.js';
import { auditOf, type EngineHooks, tell } from './hooks.js';
import { newId } from './ids.js';
import { Launching } from './launching.js';
import { leaveShared } from './leave.js';
import { PolicyScope } from './policy-scope.js';
import { endReportOf } from './report.js';
import type { SubmitRequest } from './request.js';
import { Run, type RunOptions } from './run.js';
import { Sharing } from './sharing.js';
import { SnapshotSupport } from './snapshot-support.js';
import type { Validation } from './validation.js';
import { compilationQueue } from './validator.js';
import type { Stop } from './verdict.js';
import { type Bound, untilResolved } from './waiting.js';

const SHUTTING_DOWN = 'the server is shutting down';

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
  readonly sizing: SizeWatch;
  private readonly launching: Launching;
  private readonly pool: TracePool;
  private readonly policy: Policy;
  private readonly scopes = new Map<Profile, PolicyScope>();
  private readonly compiling = compilationQueue();
  private readonly probeThread = new ProbePool();
  readonly executions: Executions;
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
    this.executions = new Executions(config);
    this.guard = new HostGuard(parseLimits(config.hostGuard) ?? {});
    this.launching = new Launching({ config, launcher, installation: this.installation, guard: this.guard });
    const most = config.concurrency === 'auto' ? mostAtOnce() : config.concurrency;
    this.queue = new FairQueue(most, config.queueLimit);
    this.estimates = new Estimates(this.queue);
    this.sizing = new SizeWatch({
      concurrency: config.concurrency,
      guard: this.guard,
      queue: this.queue,
      pids: () => this.pidsAttached(),
      over: this.closed.signal,
    });
    this.pool = new TracePool({
      threads: most,
      maxLines: config.maxLines,
      maxOutputBytes: config.maxOutputBytes,
      maxMapBytes: config.maxMapBytes,
      ...(config.standby > 0 && {
        standby: {
          most: config.standby,
          plan: () => (this.admission.isClosed ? undefined : this.launching.standby()),
          onLost: why => tell(hooks.onStandbyLost, why),
        },
      }),
    });
    this.audit = auditOf(config, hooks);
    this.sharing = new Sharing(config.share === 'on');
    this.admission = new Admission({
      config,
      guard: this.guard,
      requireBpftrace: () => this.launching.requireBpftrace(),
      queue: this.queue,
      open: () => this.executions.open,
      freeInS: executions => this.estimates.freeInS(executions.map(({ job }) => job)),
      audit: this.audit,
      onSubmit: hooks.onSubmit,
    });
    const isRunning = (): boolean => this.executions.open.length > 0 || this.pool.standbyCount > 0;
    const relieve = (why: string): void => {
      void this.pool.dismissStandbys();
      this.stopAll({ cause: 'distress', why });
    };
    watchHost(this.guard, isRunning, relieve, this.closed.signal);
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
    const plan = (args: readonly string[], lifetimeMs?: number) => this.launching.plan(args, lifetimeMs);
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
    this.executions.add(execution);
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
    const path = this.launching.requireBpftrace();
    const { diagnostician } = this.scope(client);
    const run = new Run({
      id,
      ...shape,
      graceS,
      floodS,
      floodBytesPerS,
      snapshots: this.snapshots,
      start: method => this.launching.start(this.pool, path, client.policy.profile, run.options, method),
      explain: (stderr, lastLine) => diagnostician.explain(stderr, { program: shape.program, lastLine }),
    });
    void run.ended.promise.then(() => this.estimates.learn(run, run.durationMs));
    return run;
  }

  private hasEnded(execution: Execution): void {
    execution.endedAt = new Date();
    this.executions.hasEnded(execution);
    // One that left a run which goes on gives back its part of the slot.
    this.queue.leave(execution);
    const report = endReportOf(execution);
    this.audit?.ended(report);
    tell(this.hooks.onEnd, report);
  }

  /** What a program means here, without running it. @throws Refusal */
  validate(client: Client, text: string, signal: AbortSignal): Promise<Validation> {
    return this.scope(client).validator.validate(client.name, this.admission.validate(client, text), signal);
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

  /** Why any program would be refused now, whoever asks. */
  get obstacles(): Refusal[] {
    return this.admission.obstacles;
  }

  get counts(): {
    standby: number;
    threads: number;
    running: number;
    queued: number;
    finished: number;
    finishedBytes: number;
  } {
    return {
      standby: this.pool.standbyCount,
      threads: this.pool.threadCount,
      running: this.queue.running,
      queued: this.queue.length,
      finished: this.executions.finishedCount,
      finishedBytes: this.executions.finishedBytes,
    };
  }

  /**
   * Takes no more programs. What waits is stopped, what runs may go on until the bound; resolves when nothing runs, or
   * then. {@link close} ends it.
   */
  async drain({ boundMs, signal }: Bound): Promise<void> {
    this.admission.close(boundMs);
    void this.pool.dismissStandbys();
    const open = this.executions.open.reverse();
    for (const execution of open) {
      if (execution.status === 'queued') this.stop(execution, { cause: 'shutdown', why: SHUTTING_DOWN });
    }
    const ended = Promise.all(open.map(execution => execution.ended.promise));
    await untilResolved(ended, { boundMs, signal });
  }

  /**
   * Stops everything and waits until no child is left. Call it again with `hurry` to skip the grace period.
   * What was gathered can still be read afterwards.
   */
  async close(options: { hurry?: boolean } = {}): Promise<void> {
    this.admission.close(0);
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
    const active = this.executions.open.reverse();
    for (const execution of active) this.stop(execution, stop, command);
    return active;
  }

  /** One pid for each child that is attached. */
  private pidsAttached(): number[] {
    const pids = this.executions.open.map(({ job }) => {
      return job.attachedAtMs > 0 ? (job.cell?.load(WORD.PID) ?? 0) : 0;
    });
    return [...new Set(pids)].filter(pid => pid > 0);
  }
}
