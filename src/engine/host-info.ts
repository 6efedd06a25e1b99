import { arch, release } from 'node:os';
import { z } from 'zod';
import { type Inspection, inspectHost } from '../bpftrace/checks.js';
import type { Config } from '../config.js';
import { PROFILES } from '../policy/policy.js';
import type { Replay } from '../recording/replay.js';
import type { Client } from './client.js';
import type { Engine } from './engine.js';
import { memoryBound } from './memory-bound.js';

export const hostInfoSchema = z.object({
  kernel: z.string(),
  arch: z.string(),
  bpftrace_version: z.string().nullable(),
  bpftrace_path: z.string().nullable(),
  privileges: z
    .enum(['root', 'capabilities', 'helper', 'sudo', 'sudo_password', 'none'])
    .describe('how bpftrace gets its rights'),
  children_die_with_server: z
    .boolean()
    .describe(
      'every bpftrace ends when the server dies, however that happens; otherwise its own deadline ends it',
    ),
  policy: z
    .object({
      profile: z.enum(PROFILES),
      meaning: z.string(),
      allow_probes: z.array(z.string()).optional().describe('the only probes that may be attached to'),
      deny_probes: z.array(z.string()).optional(),
      scope: z
        .object({
          pids: z.array(z.number()).optional(),
          pids_gone: z.array(z.number()).optional().describe('of those; no program may name them'),
          cgroups: z.array(z.string()).optional().describe('each with those below it'),
          predicate: z.string().describe("what a probe's predicate may begin with, followed by && and more"),
        })
        .optional()
        .describe('the only processes whose events may be reported; each predicate has to begin with it'),
    })
    .describe('what a program may do here'),
  checks: z.array(
    z.object({
      name: z.string(),
      answer: z.enum(['yes', 'no', 'unknown']),
      required: z.boolean().describe('nothing works without it; otherwise only some programs need it'),
      detail: z.string(),
      action: z.string().optional().describe('what a person on the host can do about it'),
    }),
  ),
  features: z
    .record(z.string(), z.enum(['yes', 'no', 'unknown']))
    .describe('what bpftrace --info reports: kernel helpers, map types, probe types'),
  snapshots: z
    .enum(['yes', 'no', 'unknown'])
    .describe('whether maps of a running program can be read; unknown: no program has shown it yet'),
  replay: z
    .object({
      programs: z.number().describe('that can be run; others are refused as not_recorded'),
      recordings: z
        .number()
        .describe('of them; those of one program are replayed in their order, the last again and again'),
      broken: z.number().describe('files that are no whole recordings'),
      first_at: z.string().optional().describe('when the first was made, ISO 8601'),
      last_at: z.string().optional(),
      pace: z.enum(['recorded', 'fast']),
    })
    .optional()
    .describe(
      'NOTHING IS TRACED HERE: everything was recorded earlier, perhaps on another host, and is played back; what this answer tells of the host is of that one',
    ),
  recording: z
    .object({
      failed: z.number().describe('executions of which there is no recording'),
      problem: z.string().optional(),
    })
    .optional()
    .describe('all that is traced is recorded'),
  guard: z
    .object({
      limits: z.record(z.string(), z.number()),
      readings: z.record(z.string(), z.number()).describe('absent: this kernel does not tell'),
      distress: z.string().optional().describe('why programs are refused now'),
    })
    .optional()
    .describe('when the machine counts as in distress; absent: never'),
  audit: z
    .object({
      required: z.boolean().describe('a program that could not be written down is refused'),
      written: z.number(),
      failed: z.number().describe('lines that could not be written'),
      problem: z.string().optional(),
    })
    .optional()
    .describe('each submission and its outcome are written to a file'),
  limits: z.object({
    timeout_default_s: z.number(),
    timeout_max_s: z.number(),
    lines_per_execution: z.number(),
    output_bytes_per_execution: z.number(),
    map_bytes_per_execution: z.number(),
    program_bytes: z.number(),
    flood_bytes_per_s: z.number().describe('a program that prints more for flood_s is ended; 0: never'),
    flood_s: z.number(),
    open_per_client: z.number().describe('your executions that run or wait; 0: as many as the queue takes'),
    running_per_client: z.number().describe('your executions that run at once; 0: as many as run at all'),
    per_minute_per_client: z.number().describe('executions that you may submit a minute; 0: no bound'),
    result_bytes_per_client: z
      .number()
      .describe('of your finished executions, the oldest go first; 0: no bound of its own'),
    max_probes: z.number().describe('0: as bpftrace has it'),
    concurrency: z.number().describe('executions that run at once, now'),
    queue_limit: z.number(),
    result_ttl_s: z.number(),
  }),
  memory: z
    .object({
      held_bytes_max: z.number(),
      results: z.number(),
      running: z.number(),
      programs: z.number(),
    })
    .describe(
      'the most that the server holds, in bytes, of finished results, lines and maps of running programs, and texts; beside itself and every bpftrace',
    ),
  sizing: z
    .object({
      mode: z.enum(['auto', 'fixed']).describe('auto: as many as this machine bears'),
      now: z.number(),
      most: z.number(),
      why: z.string(),
    })
    .describe('how many executions run at once'),
  queue: z.object({
    standby: z.number().describe('started bpftraces that wait for a program: the next one begins faster'),
    running: z.number(),
    queued: z.number(),
    finished: z.number(),
    finished_bytes: z.number(),
  }),
});
/** What works on this host, what doesn't and what to do about it, and the bounds that hold here. */
export type HostInfo = z.output<typeof hostInfoSchema>;

/** The checks run a real program and look around for a second: their answer is good for this long. */
const CHECKS_FRESH_MS = 60_000;
const inspected = new WeakMap<Engine, { at: number; inspection: Promise<Inspection> }>();

export async function hostInfo(engine: Engine, client: Client): Promise<HostInfo> {
  const { config, installation, launcher, counts } = engine;
  const { replay } = engine;
  const { host, checks } = replay ? recordedInspection(replay) : await freshInspection(engine);
  return {
    kernel: replay?.host.kernel ?? release(),
    arch: replay?.host.arch ?? arch(),
    ...(replay && { replay: replayOf(replay, config.replayPace) }),
    ...recordingOf(engine),
    bpftrace_version: (replay ? replay.version : host.bpftraceVersion)?.text ?? null,
    bpftrace_path: installation.path ?? null,
    privileges: launcher.mode,
    children_die_with_server: launcher.diesWithServer,
    policy: client.policy.description,
    checks,
    features: host.features,
    snapshots: replay?.snapshots ?? (await engine.snapshots.available()),
    ...guardOf(engine),
    ...auditOf(engine),
    limits: {
      timeout_default_s: config.defaultTimeoutS,
      timeout_max_s: config.maxTimeoutS,
      lines_per_execution: config.maxLines,
      output_bytes_per_execution: config.maxOutputBytes,
      map_bytes_per_execution: config.maxMapBytes,
      program_bytes: config.maxProgramBytes,
      flood_bytes_per_s: config.floodBytesPerS,
      flood_s: config.floodS,
      ...limitsOf(client),
      max_probes: config.maxProbes,
      concurrency: engine.queue.slots,
      queue_limit: config.queueLimit,
      result_ttl_s: config.resultTtlS,
    },
    memory: memoryOf(engine),
    sizing: engine.sizing.state,
    queue: {
      standby: counts.standby,
      running: counts.running,
      queued: counts.queued,
      finished: counts.finished,
      finished_bytes: counts.finishedBytes,
    },
  };
}

function limitsOf({ limits }: Client) {
  const orNone = (bound: number): number => (Number.isFinite(bound) ? bound : 0);
  return {
    open_per_client: orNone(limits.open),
    running_per_client: orNone(limits.concurrent),
    per_minute_per_client: orNone(limits.perMinute),
    result_bytes_per_client: orNone(limits.resultBytes),
  };
}

function memoryOf({ config, sizing }: Engine): HostInfo['memory'] {
  const { total, ...parts } = memoryBound(config, sizing.state.most);
  return { held_bytes_max: total, ...parts };
}

function guardOf({ guard }: Engine): Pick<HostInfo, 'guard'> {
  if (guard.isOff) return {};
  const distress = guard.distress();
  return {
    guard: {
      limits: { ...guard.limits },
      readings: { ...guard.readings() },
      ...(distress !== undefined && { distress }),
    },
  };
}

function replayOf(replay: Replay, pace: Config['replayPace']): HostInfo['replay'] {
  const { programCount: programs, recordings, broken } = replay;
  const times = recordings.map(({ header }) => header.recorded_at).sort();
  const [first] = times;
  const last = times.at(-1);
  return {
    programs,
    recordings: recordings.length,
    broken,
    ...(first !== undefined && { first_at: first, last_at: last }),
    pace,
  };
}

/** Where the folder is, is the operator's business. */
function recordingOf({ recording }: Engine): Pick<HostInfo, 'recording'> {
  if (!recording) return {};
  const { failed, problem } = recording;
  return { recording: { failed, ...(problem !== undefined && { problem }) } };
}

/** Nothing is known where the recording was cut off before the host had been looked at. */
function recordedInspection({ host: { inspection } }: Replay): Pick<Inspection, 'checks'> & {
  host: Partial<Inspection['host']> & Pick<Inspection['host'], 'features'>;
} {
  return inspection ?? { host: { features: {} }, checks: [] };
}

/** Where the file is, is the operator's business. */
function auditOf({ audit }: Engine): Pick<HostInfo, 'audit'> {
  if (!audit) return {};
  const { path: _path, ...state } = audit.state;
  return { audit: state };
}

function freshInspection(engine: Engine): Promise<Inspection> {
  const known = inspected.get(engine);
  if (known && performance.now() - known.at < CHECKS_FRESH_MS) return known.inspection;
  const { config, launcher } = engine;
  const inspection = inspectHost({ bpftracePath: config.bpftrace, launcher });
  inspected.set(engine, { at: performance.now(), inspection });
  return inspection;
}
