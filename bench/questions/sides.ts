import type { Result } from '../../src/results/result.js';
import { runPlain } from '../../test/support/plain-bpftrace.js';
import { BPFTRACE, type ServerUnderTest } from '../../test/support/server.js';
import { parsePlain } from './plain-text.js';

/** How long each program traces from the moment when it is attached. */
export const TRACE_S = 2;
/** Starting, attaching and ending included. */
const WAIT_S = 45;

export interface Told {
  calls: number;
  /** What a client shows of a reply; of bpftrace, its standard output. */
  text: string;
  /** Standard error of bpftrace. */
  errors: string;
  /** Entries of maps, and lines: what there was to tell. */
  items: number;
}

/** One call; where its reply left something out, one more gives everything, and counts in full. */
export async function throughServer(server: ServerUnderTest, program: string): Promise<Told> {
  const first = await server.call('exec_program', { program, timeout: TRACE_S, wait: WAIT_S });
  const { status, execution_id, maps, lines_total: lines } = first.structured as Result;
  if (status !== 'completed') throw new Error(`through the server it did not complete: ${first.text}`);
  const entries = maps.map(map => map.entries_total ?? map.entries?.length ?? 1);
  const items = entries.reduce((sum, count) => sum + count, lines);
  if (!/not shown|left out|reads on|shortened/.test(first.text))
    return { calls: 1, text: first.text, errors: '', items };
  const whole = await server.call('get_result', {
    execution_id,
    offset: 0,
    limit: 1000,
    map_entries: 10_000,
    max_bytes: 1_000_000,
  });
  return { calls: 2, text: `${first.text}\n${whole.text}`, errors: '', items };
}

/** The same program by hand, interrupted at the same deadline. */
export async function byHand(program: string): Promise<Told> {
  const { attached, exitCode, killed, stdout, stderr } = await runPlain(
    BPFTRACE,
    ['-e', program],
    TRACE_S * 1000,
  );
  if (!attached || exitCode !== 0 || killed) throw new Error(`by hand it did not come to its end: ${stderr}`);
  const { entries, lines } = parsePlain(stdout);
  return { calls: 1, text: stdout, errors: stderr, items: entries.length + lines.length };
}
