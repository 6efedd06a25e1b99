import type { Audit } from '../audit/audit.js';
import { inspectHost } from '../bpftrace/checks.js';
import { Installation } from '../bpftrace/installation.js';
import type { Config } from '../config.js';
import { Command } from '../contract/cell.js';
import type { Refusal } from '../contract/errors.js';
import { watchHost } from '../guard/guard-watch.js';
import { HostGuard } from '../guard/host-guard.js';
import { parseLimits } from '../guard/limits.js';
import { SizeWatch } from '../guard/size-watch.js';
import { Policy } from '../policy/policy.js';
import { ProbePool } from '../pool/probe-pool.js';
import { TracePool } from '../pool/trace-pool.js';
import type { Launcher } from '../privilege/launcher.js';
import { FairQueue } from '../queue/fair-queue.js';
import { Recording } from '../recording/recording.js';
import type { Replay } from '../recording/replay.js';
import { Admission } from './admission.js';
import { type Client, type ClientTerms, limitsOf } from './client.js';
import { Estimates } from './estimates.js';
import { Executions } from './executions.js';
import { auditOf, type EngineHooks, tell } from './hooks.js';
import { Launching } from './launching.js';
import { PolicyServices } from './policy-services.js';
import type { Run } from './run.js';
import { SnapshotSupport } from './snapshot-support.js';
import { Tracing } from './tracing.js';
import type { Validation } from './validation.js';
import { compilationQueue } from './validator.js';
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
  readonly services: PolicyServices;
  private readonly probeThread: ProbePool;
  readonly executions: Executions;
  private readonly admission: Admission;
  readonly tracing: Tracing;
  private readonly closed = new AbortController();
  readonly recording: Recording | undefined;
  /** How bpftrace gets its rights. */
  readonly launcher: Launcher;

  /** @throws RecordingError */
  constructor(
    readonly config: Config,
    hooks: EngineHooks,
    launcher: Launcher,
    /** What is served in place of this host. */
    readonly replay: Replay | undefined,
  ) {
    this.policy = new Policy(config.policy, config);
    this.recording = recordingOf(config, launcher);
    this.launcher = replay?.launcher ?? this.recording?.launcher ?? launcher;
    this.installation = replay?.installation ?? new Installation(config.bpftrace, this.launcher);
    this.probeThread = new ProbePool({ recording: replay?.folder ?? '' });
    this.snapshots = new SnapshotSupport(this.installation);
    this.executions = new Executions(config);
    this.guard = new HostGuard(parseLimits(config.hostGuard) ?? {});
    this.launching = new Launching({
      config,
      launcher: this.launcher,
      installation: this.installation,
      guard: this.guard,
      recording: this.recording,
      onNotRecorded: why => tell(hooks.onRecordingProblem, why),
    });
    this.services = new PolicyServices({
      installation: this.installation,
      probeThread: this.probeThread,
      compiling: compilationQueue(),
      plan: (args, lifetimeMs) => this.launching.plan(args, lifetimeMs),
      replay,
    });
    const most = config.concurrency === 'auto' ? this.launching.mostAtOnce : config.concurrency;
    this.queue = new FairQueue(most, config.queueLimit);
    this.estimates = new Estimates(this.queue);
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
    this.admission = new Admission({
      config,
      guard: this.guard,
      requireBpftrace: () => this.launching.requireBpftrace(),
      replay,
      queue: this.queue,
      open: () => this.executions.open,
      freeInS: executions => this.estimates.freeInS(executions.map(({ job }) => job)),
      audit: this.audit,
      onSubmit: hooks.onSubmit,
    });
    this.tracing = new Tracing({
      config,
      hooks,
      admission: this.admission,
      executions: this.executions,
      queue: this.queue,
      pool: this.pool,
      launching: this.launching,
      services: this.services,
      snapshots: this.snapshots,
      estimates: this.estimates,
      audit: this.audit,
      replay,
    });
    this.sizing = new SizeWatch({
      isAuto: config.concurrency === 'auto',
      most,
      guard: this.guard,
      queue: this.queue,
      pids: () => this.tracing.pidsAttached(),
      over: this.closed.signal,
    });
    // Once for a folder, beside everything else.
    this.recording?.begin(
      {
        inspect: () => inspectHost({ bpftracePath: config.bpftrace, launcher: this.launcher }),
        list: () => this.services.of(this.policy).probes.find({ limit: 1 }),
      },
      why => tell(hooks.onRecordingProblem, why),
    );
    const isRunning = (): boolean => this.executions.open.length > 0 || this.pool.standbyCount > 0;
    const relieve = (why: string): void => {
      void this.pool.dismissStandbys();
      this.tracing.stopAll({ cause: 'distress', why });
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

  /** What a program means here, without running it. @throws Refusal */
  async validate(client: Client, text: string, signal: AbortSignal): Promise<Validation> {
    const program = this.admission.validate(client, text);
    const validation = await this.services.of(client.policy).validator.validate(client.name, program, signal);
    return { ...validation, ...(this.replay && { replayed: true }) };
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
      if (execution.status === 'queued')
        this.tracing.stop(execution, { cause: 'shutdown', why: SHUTTING_DOWN });
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
    const active = this.tracing.stopAll({ cause: 'shutdown' }, command);
    this.installation.close();
    this.services.close();
    await Promise.all(active.map(execution => execution.ended.promise));
    await this.recording?.close();
    await Promise.all([this.pool.close(), this.probeThread.close()]);
    this.audit?.close();
  }
}

function recordingOf(config: Config, launcher: Launcher): Recording | undefined {
  if (config.record === '') return undefined;
  const { path, identity } = new Installation(config.bpftrace, launcher);
  return new Recording(config.record, config.recordMaxBytes, { path, identity, launcher });
}
