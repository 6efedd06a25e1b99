import { Installation } from '../bpftrace/installation.js';
import { programMaps } from '../bpftrace/language/program-maps.js';
import { ProbeIndex } from '../bpftrace/probes/index.js';
import { argsUnder, childEnvironment, mapLimits, TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import type { Config } from '../config.js';
import { Command } from '../contract/cell.js';
import { Refusal } from '../contract/errors.js';
import type { SnapshotMethod } from '../contract/snapshot.js';
import type { SpawnPlan } from '../contract/trace.js';
import { Policy } from '../policy/policy.js';
import { ProbePool } from '../pool/probe-pool.js';
import { type LiveTrace, TracePool } from '../pool/trace-pool.js';
import type { Launcher } from '../privilege/launcher.js';
import { JobQueue } from '../queue/job-queue.js';
import { ResultStore } from '../results/store.js';
import { Diagnostician } from './diagnostician.js';
import { Execution } from './execution.js';
import { newId, wasIssued } from './ids.js';
import { type EndReport, endReportOf } from './report.js';
import { programOf } from './request.js';
import { SnapshotSupport } from './snapshot-support.js';
import type { Validation } from './validation.js';
import { Validator } from './validator.js';

export interface SubmitRequest {
  program: string;
  /** From attached to the end, in ms; the configuration's default if absent. */
  deadlineMs?: number | undefined;
  /** Lines kept, the newest win; the configuration's maximum if absent. */
  maxLines?: number | undefined;
}

export interface EngineHooks {
  /** Called once for each execution, when it has ended. */
  onEnd?: (report: EndReport) => void;
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
  readonly probes: ProbeIndex;
  readonly queue: JobQueue;
  readonly policy: Policy;
  readonly snapshots: SnapshotSupport;
  private readonly validator: Validator;
  private readonly pool: TracePool;
  private readonly diagnostician: Diagnostician;
  private readonly probeThread = new ProbePool();
  private readonly active = new Map<string, Execution>();
  private readonly finished: ResultStore<Execution>;
  private closing = false;

  constructor(
    readonly config: Config,
    private readonly hooks: EngineHooks,
    /** How bpftrace gets its rights. */
    readonly launcher: Launcher,
  ) {
    this.policy = new Policy(config.policy, config.allowProbes, config.denyProbes);
    this.installation = new Installation(config.bpftrace, this.launcher);
    this.probes = new ProbeIndex(this.probeThread, {
      requireBinary: path => this.policy.requireBinary(path),
      identity: () => this.installation.identity,
      plan: args => this.plan(args),
    });
    this.snapshots = new SnapshotSupport(this.installation);
    this.diagnostician = new Diagnostician({
      probes: this.probes,
      version: () => this.installation.version(),
      // What BEGIN does is done again: printing, unless more is allowed.
      ...(config.policy !== 'unsafe' && { again: (args, lifetimeMs) => this.plan(args, lifetimeMs) }),
    });
    this.validator = new Validator({
      version: () => this.installation.version(),
      plan: (args, lifetimeMs) => this.plan(argsUnder(config.policy, args), lifetimeMs),
      lists: this.probes,
      explain: (stderr, program) => this.diagnostician.explain(stderr, { program }),
    });
    this.queue = new JobQueue(config.concurrency, config.queueLimit);
    this.pool = new TracePool({
      threads: config.concurrency,
      maxLines: config.maxLines,
      maxOutputBytes: config.maxOutputBytes,
      maxMapBytes: config.maxMapBytes,
    });
    this.finished = new ResultStore({
      ttlMs: config.resultTtlS * 1000,
      maxCount: config.maxResults,
      maxBytes: config.maxResultsBytes,
    });
  }

  /** @throws Refusal */
  submit(client: string, request: SubmitRequest): Execution {
    if (this.closing) {
      throw new Refusal(
        'shutting_down',
        'the server is shutting down',
        'start it again and submit the program there',
      );
    }
    const program = this.admit(request.program);
    this.checkNumbers(request);
    const path = this.requirePath();
    this.requirePrivilege();
    const { config } = this;
    const deadlineMs = request.deadlineMs ?? config.defaultTimeoutS * 1000;
    const execution = new Execution({
      id: newId(),
      client,
      program,
      deadlineMs,
      maxLines: request.maxLines ?? config.maxLines,
      graceS: config.graceS,
      snapshots: this.snapshots,
      start: snapshots => this.start(path, execution, snapshots),
      explain: (stderr, lastLine) => this.diagnostician.explain(stderr, { program, lastLine }),
    });
    this.active.set(execution.id, execution);
    if (!this.queue.offer(execution)) {
      this.active.delete(execution.id);
      const { length, limit, running } = this.queue;
      throw new Refusal(
        'busy',
        `busy: ${running} programs are running and ${length} wait, which is the limit`,
        'submit again when some of them have ended; list_executions shows yours, stop_program ends one',
        { running, queue_length: length, queue_limit: limit },
      );
    }
    void execution.ended.promise.then(() => {
      execution.endedAt = new Date();
      this.active.delete(execution.id);
      this.finished.add(execution);
      try {
        this.hooks.onEnd?.(endReportOf(execution));
      } catch {
        // The hook's own fault must not take the engine down.
      }
    });
    return execution;
  }

  /** What a program means here, without running it. @throws Refusal */
  validate(text: string, signal: AbortSignal): Promise<Validation> {
    const program = this.admit(text);
    this.requirePath();
    this.requirePrivilege();
    return this.validator.validate(program, signal);
  }

  /** @throws Refusal `unknown_execution` or `result_gone` */
  find(client: string, id: string): Execution {
    const execution = this.active.get(id) ?? this.finished.get(id);
    if (execution && execution.options.client === client) return execution;
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
    const active = [...this.active.values()].reverse();
    return [...active, ...this.finished.values()].filter(execution => execution.options.client === client);
  }

  stop(execution: Execution, cause: 'stop' | 'shutdown', command: Command = Command.stop): void {
    if (this.queue.cancel(execution)) execution.stopQueued(cause);
    else execution.stop(cause, command);
  }

  get counts(): { running: number; queued: number; finished: number; finishedBytes: number } {
    return {
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
    this.closing = true;
    const command = options.hurry ? Command.kill : Command.stop;
    const active = [...this.active.values()];
    for (const execution of active.reverse()) this.stop(execution, 'shutdown', command);
    this.installation.close();
    this.validator.close();
    this.diagnostician.close();
    await Promise.all(active.map(execution => execution.ended.promise));
    await Promise.all([this.pool.close(), this.probeThread.close()]);
  }

  private start(path: string, execution: Execution, snapshots: SnapshotMethod | undefined): LiveTrace {
    const { config, launcher } = this;
    const { deadlineMs, program, maxLines } = execution.options;
    const startTimeoutMs = config.startTimeoutS * 1000;
    const graceMaxMs = config.graceMaxS * 1000;
    const lifetimeMs = startTimeoutMs + deadlineMs + graceMaxMs + LIFETIME_SLACK_MS;
    const env = childEnvironment(process.env);
    const live = this.pool.start({
      spawn: launcher.plan(path, argsUnder(config.policy, TRACE_ARGS), lifetimeMs, env),
      program,
      programMaps: { ...programMaps(program), ...mapLimits(env) },
      snapshots,
      maxLines,
      deadlineMs,
      startTimeoutMs,
      graceMs: config.graceS * 1000,
      graceMaxMs,
      mapBytesMax: config.maxMapBytes * MAP_SHARE,
    });
    void this.installation.version().then(version => live.cell.tellVersion(version));
    return live;
  }

  /** The text of a program that may be compiled here. @throws Refusal */
  private admit(text: string): string {
    const program = programOf(text, this.config);
    this.policy.require(program);
    return program;
  }

  /** A bpftrace that lists something. */
  private plan(args: readonly string[], lifetimeMs = LISTING_BOUND_MS): SpawnPlan {
    this.requirePrivilege();
    return this.launcher.plan(this.requirePath(), args, lifetimeMs, childEnvironment(process.env));
  }

  private checkNumbers({ deadlineMs, maxLines }: SubmitRequest): void {
    const longestMs = this.config.maxTimeoutS * 1000;
    if (deadlineMs !== undefined && !(deadlineMs > 0 && deadlineMs <= longestMs)) {
      throw new Refusal(
        'invalid_argument',
        `the deadline is ${deadlineMs} ms, and must be above 0 and at most ${longestMs}`,
        'pass one within that range, or none for the default',
      );
    }
    const mostLines = this.config.maxLines;
    if (maxLines !== undefined && !(Number.isInteger(maxLines) && maxLines >= 1 && maxLines <= mostLines)) {
      throw new Refusal(
        'invalid_argument',
        `${maxLines} lines are to be kept, and it must be a whole number from 1 to ${mostLines}`,
        'pass one within that range, or none for the default',
      );
    }
  }

  private requirePath(): string {
    const { path } = this.installation;
    if (path) return path;
    throw new Refusal(
      'no_bpftrace',
      `bpftrace was not found (${JSON.stringify(this.config.bpftrace)})`,
      'on the host, run `bpftrace-mcp doctor --fix` as root, or point --bpftrace at it',
    );
  }

  private requirePrivilege(): void {
    if (this.launcher.mode !== 'none') return;
    throw new Refusal(
      'no_privilege',
      'bpftrace needs root, and this server neither runs as root nor gets there by sudo',
      'start the server as root, or run `bpftrace-mcp helper install` as root for its user, or give it the password for sudo when it starts (on its terminal, by SUDO_ASKPASS or BPFTRACE_PASSWD); `bpftrace-mcp doctor` says more',
    );
  }
}
