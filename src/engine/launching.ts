import type { Installation } from '../bpftrace/installation.js';
import { programMaps } from '../bpftrace/language/program-maps.js';
import type { SnapshotPlan } from '../bpftrace/snapshot-plan.js';
import { argsUnder, childEnvironment, mapLimits, TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { SnapshotMethod } from '../contract/snapshot.js';
import type { SpawnPlan, TraceOutcome, TraceTask } from '../contract/trace.js';
import type { HostGuard } from '../guard/host-guard.js';
import { mostAtOnce } from '../guard/sizing.js';
import type { Profile } from '../policy/policy.js';
import type { StandbyPlan } from '../pool/standbys.js';
import type { Crash, LiveTrace, TracePool } from '../pool/trace-pool.js';
import { HELPER_SLOTS } from '../privilege/helper/pins.js';
import type { Launcher } from '../privilege/launcher.js';
import type { Recording } from '../recording/recording.js';
import type { Played } from './replayed-run.js';
import type { RunOptions } from './run.js';
import { identityOf, planStandby } from './standby-plan.js';

/** The largest share of the maps' room that one map may take. */
const MAP_SHARE = 1 / 4;
/** Beyond every bound of a child's life, before a wrapper outside our reach ends it. */
const LIFETIME_SLACK_MS = 5000;
/** A bpftrace that only lists. */
const LISTING_BOUND_MS = 60_000;

type Bounds = Pick<TraceTask, 'deadlineMs' | 'startTimeoutMs' | 'graceMs' | 'graceMaxMs' | 'mapBytesMax'>;

interface LaunchingParts {
  config: Config;
  installation: Installation;
  launcher: Launcher;
  guard: HostGuard;
  /** Absent: nothing is recorded. */
  recording: Recording | undefined;
  /** There is no recording of a program, and why. */
  onNotRecorded: (why: string) => void;
}

/** How bpftraces are started: the operator's settings, the launcher's way to rights, and what a program asks for. */
export class Launching {
  constructor(private readonly parts: LaunchingParts) {}

  /** Where bpftrace is, when it can be used. @throws Refusal `no_bpftrace`, `no_privilege` */
  requireBpftrace(): string {
    const { config, installation, launcher } = this.parts;
    const { path } = installation;
    if (!path) {
      throw new Refusal(
        'no_bpftrace',
        `bpftrace was not found (${JSON.stringify(config.bpftrace)})`,
        'on the host, run `bpftrace-mcp doctor --fix` as root, or point --bpftrace at it',
      );
    }
    if (launcher.mode !== 'none') return path;
    throw new Refusal(
      'no_privilege',
      launcher.wrongPassword
        ? 'bpftrace needs root, and sudo does not take the password that this server was given'
        : 'bpftrace needs root, and this server neither runs as root nor gets there by sudo',
      'start the server as root, or run `bpftrace-mcp helper install` as root for its user, or give it the password for sudo when it starts (on its terminal, by SUDO_ASKPASS or BPFTRACE_PASSWD); `bpftrace-mcp doctor` says more',
    );
  }

  /** By the processors, and by what a helper takes that was installed without being told. */
  get mostAtOnce(): number {
    const most = mostAtOnce();
    return this.parts.launcher.mode === 'helper' ? Math.min(most, HELPER_SLOTS) : most;
  }

  /** A program under a policy. @param path where bpftrace was when the program was handed in */
  start(pool: TracePool, path: string, profile: Profile, options: RunOptions, plan: SnapshotPlan): LiveTrace {
    const { config, installation, launcher, recording } = this.parts;
    const { id, deadlineMs, program, maxLines, graceS, floodS, floodBytesPerS } = options;
    const env = this.environment;
    const args = argsUnder(profile, TRACE_ARGS);
    const limits = mapLimits(env);
    const record = recording?.task({
      execution: id,
      program,
      deadline_ms: deadlineMs,
      max_lines: maxLines,
      policy: profile,
      snapshots: plan,
      map_limits: limits,
      bounds: { graceS, floodS, floodBytesPerS },
    });
    const live = pool.start({
      ...this.bounds(options),
      spawn: launcher.plan(path, args, this.lifetimeMs(deadlineMs), env),
      identity: identityOf(installation, args, env),
      program,
      programMaps: { ...programMaps(program), ...limits },
      snapshots: 'method' in plan ? plan.method : undefined,
      record,
      maxLines,
      ...(config.floodBytesPerS > 0 && {
        flood: { bytesPerS: config.floodBytesPerS, forMs: config.floodS * 1000 },
      }),
    });
    void installation.version().then(version => live.cell.tellVersion(version));
    if (record) void live.outcome.then(outcome => this.hasRecorded(outcome));
    return live;
  }

  /** What was recorded, in place of a bpftrace. */
  play(pool: TracePool, options: RunOptions, played: Played): LiveTrace {
    const { program, maxLines } = options;
    const { header, end } = played.recording;
    const { snapshots } = header;
    const live = pool.start({
      ...this.bounds(options),
      spawn: played.task,
      program,
      programMaps: { ...programMaps(program), ...header.map_limits },
      // As it was written by a plan of that kind.
      snapshots: 'method' in snapshots ? (snapshots.method as SnapshotMethod) : undefined,
      maxLines,
    });
    live.cell.tellVersion(end.bpftrace);
    return live;
  }

  private bounds({ deadlineMs }: RunOptions): Bounds {
    const { config } = this.parts;
    return {
      deadlineMs,
      startTimeoutMs: config.startTimeoutS * 1000,
      graceMs: config.graceS * 1000,
      graceMaxMs: config.graceMaxS * 1000,
      mapBytesMax: config.maxMapBytes * MAP_SHARE,
    };
  }

  private hasRecorded(outcome: TraceOutcome | Crash): void {
    const problem = 'crashed' in outcome ? 'the worker thread ended' : outcome.notRecorded;
    if (problem === undefined) return;
    this.parts.recording?.hasFailed(problem);
    this.parts.onNotRecorded(problem);
  }

  /** One that stands by for a program. */
  standby(): StandbyPlan | undefined {
    const { config } = this.parts;
    const lifetimeMs = this.lifetimeMs(config.maxTimeoutS * 1000);
    return planStandby(this.parts, argsUnder(config.policy, TRACE_ARGS), this.environment, lifetimeMs);
  }

  /** One that lists something, or compiles. @throws Refusal */
  plan(args: readonly string[], lifetimeMs = LISTING_BOUND_MS): SpawnPlan {
    return this.parts.launcher.plan(this.requireBpftrace(), args, lifetimeMs, this.environment);
  }

  /** The very longest that a child with this deadline can live. */
  private lifetimeMs(deadlineMs: number): number {
    const { startTimeoutS, graceMaxS } = this.parts.config;
    return (startTimeoutS + graceMaxS) * 1000 + deadlineMs + LIFETIME_SLACK_MS;
  }

  private get environment(): Record<string, string> {
    return childEnvironment(process.env, this.parts.config.maxProbes);
  }
}
