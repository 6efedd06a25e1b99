/**
 * What a program is warned of while it runs (0.22 and later: a full map, a division by zero; 0.27: what its
 * warnf() and errorf() say), as lines like those of bpftrace's text output: `stdin:2:27: WARNING: Map full; …`.
 *
 * A warning may come at every event (measured: 220,000 a second) and would push everything else out of the ring,
 * so one that repeats is a line the first time, and in the end how often it came.
 */
const SEVERITY: Record<string, string> = {
  helper_error: 'WARNING',
  runtime_error: 'WARNING',
  print_error: 'ERROR',
  warnf: 'WARNING',
  errorf: 'ERROR',
};
/** Of these there are no more different ones than places in the program. */
const REPEATING = new Set(['helper_error', 'runtime_error']);
/** 0.27's JSON has the name of the errno here, "Argument list too long". */
const MAP_FULL = "Map full; can't update element. Try increasing max_map_keys config";
const E2BIG = '-7';

export function isRuntimeMessage(type: string): boolean {
  return SEVERITY[type] !== undefined;
}

export class RuntimeMessages {
  /** By their records. */
  private readonly told = new Map<string, { line: string; count: number }>();

  /** The line for a record, still escaped as JSON escapes it; undefined when it has been told before. */
  line(type: string, record: string): string | undefined {
    const known = this.told.get(record);
    if (known) {
      known.count++;
      return undefined;
    }
    const line = messageLine(type, record);
    if (REPEATING.has(type)) this.told.set(record, { line, count: 1 });
    return line;
  }

  /** A line for each that came more than once. */
  repeats(): string[] {
    const repeated = [...this.told.values()].filter(({ count }) => count > 1);
    return repeated.map(({ line, count }) => `${line}: ${count} times`);
  }
}

function messageLine(type: string, record: string): string {
  const field = (name: string): string | undefined =>
    new RegExp(`"${name}": (?:"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|(-?\\d+))`).exec(record)?.slice(1).join('');
  const [helper, code] = [field('helper'), field('retcode')];
  // 0.17 has no message, and no such records unless it is given -k.
  const said = field('msg')?.replace(/(?<!\\)((?:\\\\)*)\\n$/, '$1') ?? 'failed';
  const message = helper === 'map_update_elem' && code === E2BIG ? MAP_FULL : said;
  const detail = helper === undefined ? '' : ` (${helper}, ${code})`;
  return `${field('filename') ?? 'stdin'}:${field('line')}:${field('col')}: ${SEVERITY[type]}: ${message}${detail}`;
}
