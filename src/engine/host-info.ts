import { arch, release } from 'node:os';
import { z } from 'zod';
import { type Inspection, inspectHost } from '../bpftrace/checks.js';
import { PROFILES } from '../policy/policy.js';
import type { Engine } from './engine.js';

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
  limits: z.object({
    timeout_default_s: z.number(),
    timeout_max_s: z.number(),
    lines_per_execution: z.number(),
    output_bytes_per_execution: z.number(),
    map_bytes_per_execution: z.number(),
    program_bytes: z.number(),
    concurrency: z.number(),
    queue_limit: z.number(),
    result_ttl_s: z.number(),
  }),
  queue: z.object({
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

export async function hostInfo(engine: Engine): Promise<HostInfo> {
  const { config, installation, launcher, counts } = engine;
  const { host, checks } = await freshInspection(engine);
  return {
    kernel: release(),
    arch: arch(),
    bpftrace_version: host.bpftraceVersion?.text ?? null,
    bpftrace_path: installation.path ?? null,
    privileges: launcher.mode,
    children_die_with_server: launcher.diesWithServer,
    policy: engine.policy.description,
    checks,
    features: host.features,
    snapshots: await engine.snapshots.available(),
    limits: {
      timeout_default_s: config.defaultTimeoutS,
      timeout_max_s: config.maxTimeoutS,
      lines_per_execution: config.maxLines,
      output_bytes_per_execution: config.maxOutputBytes,
      map_bytes_per_execution: config.maxMapBytes,
      program_bytes: config.maxProgramBytes,
      concurrency: config.concurrency,
      queue_limit: config.queueLimit,
      result_ttl_s: config.resultTtlS,
    },
    queue: {
      running: counts.running,
      queued: counts.queued,
      finished: counts.finished,
      finished_bytes: counts.finishedBytes,
    },
  };
}

function freshInspection(engine: Engine): Promise<Inspection> {
  const known = inspected.get(engine);
  if (known && performance.now() - known.at < CHECKS_FRESH_MS) return known.inspection;
  const { config, launcher } = engine;
  const inspection = inspectHost({ bpftracePath: config.bpftrace, launcher });
  inspected.set(engine, { at: performance.now(), inspection });
  return inspection;
}
