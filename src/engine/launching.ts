import type { Installation } from '../bpftrace/installation.js';
import { programMaps } from '../bpftrace/language/program-maps.js';
import { argsUnder, childEnvironment, mapLimits, TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { SnapshotMethod } from '../contract/snapshot.js';
import type { SpawnPlan } from '../contract/trace.js';
import type { HostGuard } from '../guard/host-guard.js';
import { mostAtOnce } from '../guard/sizing.js';
import type { Profile } from '../policy/policy.js';
import type { StandbyPlan } from '../pool/standbys.js';
import type { LiveTrace, TracePool } from '../pool/trace-pool.js';
import { HELPER_SLOTS } from '../privilege/helper/pins.js';
import type { Launcher } from '../privilege/launcher.js';
import type { RunOptions } from './run.js';
import { identityOf, planStandby } from './standby-plan.js';

/** The largest share of the maps' room that one map may take. */
const MAP_SHARE = 1 / 4;
/** Beyond every bound of a child's life, before a wrapper outside our reach ends it. */
const LIFETIME_SLACK_MS = 5000;
/** A bpftrace that only lists. */
const LISTING_BOUND_MS = 60_000;

interface LaunchingParts {
  config: Config;
  installation: Installation;
  launcher: Launcher;
  guard: HostGuard;
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
      'bpftrace needs root, and this server neither runs as root nor gets there by sudo',
      'start the server as root, or run `bpftrace-mcp helper install` as root for its user, or give it the password for sudo when it starts (on its terminal, by SUDO_ASKPASS or BPFTRACE_PASSWD); `bpftrace-mcp doctor` says more',
    );
  }

  /** By the processors, and by what a helper takes that was installed without being told. */
  get mostAtOnce(): number {
    const most = mostAtOnce();
    return this.parts.launcher.mode === 'helper' ? Math.min(most, HELPER_SLOTS) : most;
  }

  /** A program under a policy. @param path where bpftrace was when the program was handed in */
  start(
    pool: TracePool,
    path: string,
    profile: Profile,
    { deadlineMs, program, maxLines }: RunOptions,
    snapshots: SnapshotMethod | undefined,
  ): LiveTrace {
    const { config, installation, launcher } = this.parts;
    const env = this.environment;
    const args = argsUnder(profile, TRACE_ARGS);
    const live = pool.start({
      spawn: launcher.plan(path, args, this.lifetimeMs(deadlineMs), env),
      identity: identityOf(installation, args, env),
      program,
      programMaps: { ...programMaps(program), ...mapLimits(env) },
      snapshots,
      maxLines,
      deadlineMs,
      startTimeoutMs: config.startTimeoutS * 1000,
      graceMs: config.graceS * 1000,
      graceMaxMs: config.graceMaxS * 1000,
      mapBytesMax: config.maxMapBytes * MAP_SHARE,
      ...(config.floodBytesPerS > 0 && {
        flood: { bytesPerS: config.floodBytesPerS, forMs: config.floodS * 1000 },
      }),
    });
    void installation.version().then(version => live.cell.tellVersion(version));
    return live;
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
