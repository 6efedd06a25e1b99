import { z } from 'zod';
import { type HostInfo, hostInfoSchema } from '../../engine/host-info.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

const MARK = { yes: 'yes', no: 'NO', unknown: 'unknown' };

export const bpfInfo = defineTool({
  name: TOOL.info,
  title: 'What this host can trace',
  description: `Kernel, bpftrace version, privileges, which kinds of probes work here (yes, no, or could not tell) and what to do about those that don't, the limits that hold, and how busy the server is. Call it when a program fails to attach, or before planning one around kprobes or BTF.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({}),
  output: hostInfoSchema,
  async handle(_args, { client }) {
    const info = await client.info();
    const { limits, queue } = info;
    const text = [
      ...replayLine(info.replay),
      `bpftrace ${info.bpftrace_version ?? 'not found'} on Linux ${info.kernel} ${info.arch}; privileges: ${info.privileges}`,
      policyLine(info.policy),
      ...scopeLine(info.policy.scope),
      ...info.checks.map(
        check =>
          `${MARK[check.answer]} ${check.name}: ${check.detail}${check.action ? ` -> ${check.action}` : ''}`,
      ),
      `snapshots of running programs: ${info.snapshots}`,
      ...recordingLine(info.recording),
      ...guardLine(info.guard),
      ...auditLine(info.audit),
      `limits: timeout ${limits.timeout_default_s} s, at most ${limits.timeout_max_s} s; ${limits.lines_per_execution} lines an execution; ${limits.concurrency} at once${sizeText(info.sizing)}, ${limits.queue_limit} queued; results kept ${limits.result_ttl_s} s${ownLimits(limits)}`,
      `memory: at most ${mib(info.memory.held_bytes_max)} MiB held of programs: results ${mib(info.memory.results)}, running ${mib(info.memory.running)}, texts ${mib(info.memory.programs)}`,
      `now: ${queue.standby} standing by, ${queue.running} running, ${queue.queued} queued, ${queue.finished} finished results kept`,
    ];
    return { structured: info, text: text.join('\n') };
  },
});

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);

function sizeText({ mode, now, most, why }: HostInfo['sizing']): string {
  return mode === 'auto' ? ` (${now < most ? `of ${most}: ` : ''}${why})` : '';
}

function replayLine(replay: HostInfo['replay']): string[] {
  if (!replay) return [];
  const { programs, recordings, first_at: first, last_at: last, pace, broken } = replay;
  const bad = broken > 0 ? `; ${broken} files are no whole recordings` : '';
  const made = first === undefined ? '' : `, made ${first === last ? first : `from ${first} to ${last}`}`;
  return [
    `REPLAY: nothing is traced here. ${recordings} recordings of ${programs} programs${made}, are played back${pace === 'fast' ? ' without pauses' : ''}${bad}; what follows is of the host on which they were made`,
  ];
}

function recordingLine(recording: HostInfo['recording']): string[] {
  if (!recording) return [];
  const { failed, problem } = recording;
  return [`recording: on${failed > 0 || problem ? `; ${failed} failed: ${problem}` : ''}`];
}

/** Of the client that asks, where there are any. */
function ownLimits(limits: HostInfo['limits']): string {
  const parts = [
    limits.running_per_client > 0 && `${limits.running_per_client} at once`,
    limits.open_per_client > 0 && `${limits.open_per_client} running or waiting`,
    limits.per_minute_per_client > 0 && `${limits.per_minute_per_client} a minute`,
    limits.result_bytes_per_client > 0 && `${limits.result_bytes_per_client} bytes of results`,
  ].filter(Boolean);
  return parts.length > 0 ? `; yours: ${parts.join(', ')}` : '';
}

function guardLine(guard: HostInfo['guard']): string[] {
  if (!guard) return [];
  const limits = Object.entries(guard.limits).map(([name, limit]) => {
    return `${name} ${guard.readings[name] ?? 'unknown'} (limit ${limit})`;
  });
  const distress = guard.distress === undefined ? '' : `; IN DISTRESS: ${guard.distress}`;
  return [`host guard: ${limits.join(', ')}${distress}`];
}

function auditLine(audit: HostInfo['audit']): string[] {
  if (!audit) return [];
  const { written, failed, required, problem } = audit;
  const failing = problem === undefined ? '' : `; NOT WRITTEN NOW: ${problem}`;
  return [`audit: ${written} lines written, ${failed} lost${required ? ', required' : ''}${failing}`];
}

function scopeLine(scope: HostInfo['policy']['scope']): string[] {
  if (!scope) return [];
  const { pids, pids_gone, cgroups, predicate } = scope;
  const whose = [
    pids && `pid ${pids.join(', ')}${pids_gone ? ` (gone: ${pids_gone.join(', ')})` : ''}`,
    cgroups && `in ${cgroups.join(', ')} and below`,
  ].filter(Boolean);
  const how = predicate === '' ? 'none is left' : `begin the predicate of each probe with it: /${predicate}/`;
  return [`scope: only events of processes ${whose.join(', or ')}; ${how}`];
}

function policyLine({ profile, meaning, allow_probes, deny_probes }: HostInfo['policy']): string {
  const lists = [
    allow_probes && `only ${allow_probes.join(', ')}`,
    deny_probes && `not ${deny_probes.join(', ')}`,
  ].filter(Boolean);
  return `policy ${profile}: ${meaning}${lists.length > 0 ? `; probes: ${lists.join('; ')}` : ''}`;
}
