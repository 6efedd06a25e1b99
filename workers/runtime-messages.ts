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

interface Told {
  line: string;
  count: number;
  /** Where in the program a map was found full, `line:column`. */
  fullAt: string | undefined;
}

export class RuntimeMessages {
  /** By their records. */
  private readonly told = new Map<string, Told>();

  /** The line for a record, still escaped as JSON escapes it; undefined when it has been told before. */
  line(type: string, record: string): string | undefined {
    const known = this.told.get(record);
    if (known) {
      known.count++;
      return undefined;
    }
    const line = messageLine(type, record);
    if (REPEATING.has(type)) this.told.set(record, { line, count: 1, fullAt: fullMapPlace(record) });
    return line;
  }

  /** A line for each that came more than once. */
  repeats(): string[] {
    const repeated = [...this.told.values()].filter(({ count }) => count > 1);
    return repeated.map(({ line, count }) => `${line}: ${count} times`);
  }

  /** Updates that found a map full at one of these places of the program. */
  lostUpdates(places: readonly string[]): number {
    let lost = 0;
    for (const { fullAt, count } of this.told.values())
      if (fullAt !== undefined && places.includes(fullAt)) lost += count;
    return lost;
  }
}

function fieldOf(record: string, name: string): string | undefined {
  return new RegExp(`"${name}": (?:"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|(-?\\d+))`)
    .exec(record)
    ?.slice(1)
    .join('');
}

function fullMapPlace(record: string): string | undefined {
  const isFull = fieldOf(record, 'helper') === 'map_update_elem' && fieldOf(record, 'retcode') === E2BIG;
  return isFull ? `${fieldOf(record, 'line')}:${fieldOf(record, 'col')}` : undefined;
}

function messageLine(type: string, record: string): string {
  const field = (name: string): string | undefined => fieldOf(record, name);
  const [helper, code] = [field('helper'), field('retcode')];
  // 0.17 has no message, and no such records unless it is given -k.
  const said = field('msg')?.replace(/(?<!\\)((?:\\\\)*)\\n$/, '$1') ?? 'failed';
  const message = helper === 'map_update_elem' && code === E2BIG ? MAP_FULL : said;
  const detail = helper === undefined ? '' : ` (${helper}, ${code})`;
  return `${field('filename') ?? 'stdin'}:${field('line')}:${field('col')}: ${SEVERITY[type]}: ${message}${detail}`;
}
