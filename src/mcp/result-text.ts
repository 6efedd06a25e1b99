import { diagnosticLines } from '../results/diagnostic-text.js';
import { mapLines } from '../results/map-text.js';
import type { Result } from '../results/result.js';
import { TOOL } from './tools/names.js';

/** A result as an agent reads it: how it stands and what was lost first, then diagnostics, maps and lines. */
export function resultText(result: Result): string {
  return [
    headLine(result),
    ...losses(result),
    ...diagnosticLines(result.diagnostics),
    ...maps(result),
    ...output(result),
  ].join('\n');
}

function headLine(result: Result): string {
  const parts = [`${state(result)}; execution_id ${result.execution_id}`];
  if (result.attached_probes !== undefined && result.status !== 'failed') {
    parts.push(`${result.attached_probes} probe${result.attached_probes === 1 ? '' : 's'} attached`);
  }
  if (result.exit_code !== undefined && result.exit_code !== 0)
    parts.push(`exit code ${result.exit_code ?? 'none'}`);
  return parts.join('; ');
}

function state(result: Result): string {
  const { status, duration, timeout } = result;
  switch (status) {
    case 'queued':
      return `queued at position ${result.queue_position}; wait with ${TOOL.getResult}`;
    case 'starting':
      return `starting for ${duration} s`;
    case 'running':
      return result.ending
        ? `ending after ${duration} s traced: detaching and printing its maps`
        : `running for ${duration} s of ${timeout} s`;
    case 'completed':
      return `completed by ${result.ended_by === 'deadline' ? `its deadline of ${timeout} s` : `exit() after ${duration} s`}`;
    case 'stopped':
      return `stopped${result.ended_by === 'shutdown' ? ' because the server shuts down' : ''} after ${duration} s${result.error_message ? `: ${result.error_message}` : ''}`;
    case 'failed':
      return `failed (${result.reason}): ${result.error_message}`;
  }
}

function losses(result: Result): string[] {
  const lost: string[] = [];
  if (result.lost_events > 0) {
    lost.push(
      `LOST: the kernel dropped ${result.lost_events} events; aggregate in maps or filter with a predicate`,
    );
  }
  if (result.lines_dropped > 0) {
    lost.push(`LOST: the oldest ${result.lines_dropped} lines were overwritten by newer ones`);
  }
  if (result.lines_truncated) lost.push(`LOST: ${result.lines_truncated} of these lines were cut for length`);
  if (result.bytes_dropped) {
    lost.push(`LOST: ${result.bytes_dropped} bytes were cut off lines that were too long`);
  }
  return lost;
}

function maps(result: Result): string[] {
  return result.maps.length === 0 ? [] : ['maps:', ...result.maps.flatMap(map => mapLines(map))];
}

function output(result: Result): string[] {
  const { lines_total: total, lines_returned: returned, offset, next_offset: next } = result;
  if (total === 0) {
    return result.status === 'running' && result.maps.length === 0
      ? [
          `no complete line printed yet (maps come when it ends); ${TOOL.getResult} with wait, or ${TOOL.stop}`,
        ]
      : [];
  }
  const range = returned === 0 ? 'none given' : `${offset} to ${next - 1}`;
  const more = result.has_more ? `; more from offset ${next}` : '';
  return [`lines (${range} of ${total}${more}):`, ...result.output];
}
