import { diagnosticLines } from '../results/diagnostic-text.js';
import { lossText } from '../results/loss-text.js';
import { mapLines } from '../results/map-text.js';
import type { Result } from '../results/result.js';
import { TOOL } from './tools/names.js';

/** A result as an agent reads it: how it stands and what was lost first, then diagnostics, maps and lines. */
export function resultText(result: Result): string {
  return [
    [...headLine(result), lossText(result.losses)].filter(Boolean).join('; '),
    ...diagnosticLines(result.diagnostics),
    ...(result.diagnostics_not_shown ? [`${result.diagnostics_not_shown} more messages not shown here`] : []),
    ...maps(result),
    ...output(result),
  ].join('\n');
}

function headLine(result: Result): string[] {
  const parts = [`${state(result)}; execution_id ${result.execution_id}`];
  if (result.replayed)
    parts.push(`replayed from a recording${result.replay_note ? ` (${result.replay_note})` : ''}`);
  if (result.attached_probes !== undefined && result.status !== 'failed') {
    parts.push(`${result.attached_probes} probe${result.attached_probes === 1 ? '' : 's'} attached`);
  }
  if (result.shared) {
    const since = result.joined_at === undefined ? '' : ` since ${result.joined_at} s after it attached`;
    parts.push(`one bpftrace shared with others${since}`);
  }
  if (result.exit_code !== undefined && result.exit_code !== 0 && !isDiagnosed(result))
    parts.push(`exit code ${result.exit_code ?? 'none'}`);
  return parts;
}

function state(result: Result): string {
  const { status, duration, timeout } = result;
  switch (status) {
    case 'queued':
      return `queued at position ${result.queue_position}, starts in about ${result.estimated_start} s; wait with ${TOOL.getResult}`;
    case 'starting':
      return `starting for ${duration} s`;
    case 'running':
      return result.ending
        ? `ending after ${duration} s traced: detaching and printing its maps`
        : `running for ${duration} s of ${timeout} s`;
    case 'completed':
      return `completed by ${result.ended_by === 'deadline' ? `its deadline of ${timeout} s` : `exit() after ${duration} s`}`;
    case 'stopped':
      return `stopped${STOPPED_BY[result.ended_by ?? ''] ?? ''} after ${duration} s${result.error_message ? `: ${result.error_message}` : ''}`;
    case 'failed':
      return `failed (${result.reason})${isDiagnosed(result) ? '' : `: ${result.error_message}`}`;
  }
}

const STOPPED_BY: Readonly<Record<string, string>> = {
  shutdown: ' because the server shuts down',
  flood: ' as a flood',
  distress: ' by the server',
};

/** The first diagnostic, which comes next, says it all. */
function isDiagnosed({ error_message: message, diagnostics: [first] }: Result): boolean {
  return first !== undefined && (message?.endsWith(first.message) ?? false);
}

function maps(result: Result): string[] {
  const { maps: shown, maps_not_shown: left, snapshot_at: at, no_snapshot: missing } = result;
  const lines = shown.flatMap(map => {
    const whole = mapLines(map, Number.POSITIVE_INFINITY);
    return map.shortened ? [...whole, `${map.name}: shortened; a larger max_bytes gives it whole`] : whole;
  });
  if (left) lines.push(`${left} more maps not shown here; max_bytes gives them`);
  const said = missing === undefined ? [] : [`no whole snapshot: ${missing}`];
  if (lines.length > 0)
    return [...said, at === undefined ? 'maps:' : `maps as they were at ${at} s:`, ...lines];
  return at === undefined ? said : [...said, `maps at ${at} s: all empty`];
}

function output(result: Result): string[] {
  const { lines_total: total, offset, next_offset: next, tail, search } = result;
  if (total === 0) {
    const isAsked = result.snapshot_at !== undefined || result.no_snapshot !== undefined;
    return result.status === 'running' && result.maps.length === 0 && !isAsked
      ? [`nothing printed yet; maps come when it ends (${TOOL.getResult} with wait), or with snapshot`]
      : [];
  }
  if (search) {
    const { matched, searched, offsets } = search;
    const more = result.has_more ? `; offset ${next} reads on` : '';
    const head = `${matched} of ${searched} lines from ${offset} on match${offsets.length < matched ? `, the first ${offsets.length}` : ''}${more}`;
    return [
      `${head}${offsets.length > 0 ? ':' : ''}`,
      ...result.output.map((line, i) => `${offsets[i]}: ${line}`),
    ];
  }
  if (result.lines_returned === 0 && !tail) return [`${total} lines printed, none given${beyond(result)}`];
  const more = result.has_more && !tail ? `; offset ${next} reads on` : '';
  const head = `lines ${offset} to ${next - 1} of ${total}${more}:`;
  if (!tail) return [head, ...folded(result.output)];
  const gap = `[${tail.offset - next} lines left out: offset ${next} reads on, match searches]`;
  return [head, ...folded(result.output), gap, ...folded(tail.output)];
}

/** Who reads on at the end of a finished execution would do so for ever. */
function beyond({ has_more: hasMore, next_offset: next, status }: Result): string {
  if (hasMore) return `; offset ${next} reads on`;
  const isOver = status === 'completed' || status === 'failed' || status === 'stopped';
  return isOver
    ? `: there are none from offset ${next} on, and no more come`
    : `: none from offset ${next} on yet; wait waits for one`;
}

/** From this many on, equal lines in a row are one line and a number. */
const FOLDED_MIN = 4;

function folded(lines: readonly string[]): string[] {
  const text: string[] = [];
  for (let at = 0, end = 0; at < lines.length; at = end) {
    const line = lines[at] ?? '';
    end = at + 1;
    while (end < lines.length && lines[end] === line) end++;
    const times = end - at;
    if (times >= FOLDED_MIN) text.push(line, `[the same ${times - 1} times more]`);
    else for (let i = 0; i < times; i++) text.push(line);
  }
  return text;
}
