/** A map as bpftrace prints it, so far as two runs of the same program can be compared. */
export interface MapShape {
  /** `hist`, `stats` (count, average, total), `number` or `text`; with `keyed` before it when it has keys. */
  kind: string;
  /** What it counted: the sum of its counts, or its entries. */
  weight: number;
}

interface PlainOutput {
  /** What printf and its like printed; blank lines, which surround maps, are left out. */
  lines: string[];
  /** By name; of a map that was printed several times the heaviest. */
  maps: Map<string, MapShape>;
}

/** bpftrace's own words among the output. */
const OWN_WORDS = /^(?:Attaching \d+ probes?\.\.\.|Attached \d+ probes?|Lost \d+ events)$/;
const MAP_START = /^(@\w*)(\[|: ?)/;
/** What is printed just before a map on the same line, as in `time("%H:%M:%S "); print(@)`. */
const MAP_AFTER_TEXT = /^([^@]+)(@\w*: -?\d+)$/;
const BUCKET = /^[[(].*[\])] +(\d+) \|/;
const STATISTICS = /^count (\d+), average -?\d+, total -?\d+$/;

/** Takes bpftrace's text output apart; a line of one of these shapes is one, though it may look like a map. */
export function readPlain(stdout: string, lineShapes: readonly RegExp[]): PlainOutput {
  const output: PlainOutput = { lines: [], maps: new Map() };
  const left = stdout.split('\n').filter(line => !OWN_WORDS.test(line));
  for (let line = left.shift(); line !== undefined; line = left.shift()) {
    const joined = MAP_AFTER_TEXT.exec(line);
    if (joined) {
      output.lines.push(joined[1] ?? '');
      line = joined[2] ?? '';
    }
    const text = line;
    const start = lineShapes.some(shape => shape.test(text)) ? null : MAP_START.exec(text);
    if (!start) {
      if (line.trim() !== '') output.lines.push(line);
      continue;
    }
    const [head = '', name = '', opening] = start;
    const keyed = opening === '[';
    let rest = line.slice(head.length);
    // A stack in a key goes over many lines.
    while (keyed && !/\]: ?/.test(rest) && left.length > 0) rest += `\n${left.shift()}`;
    const value = keyed ? rest.slice(rest.lastIndexOf(']: ') + 3) : rest;
    note(output.maps, name, readValue(value.trim(), keyed, left));
  }
  return output;
}

function readValue(value: string, keyed: boolean, left: string[]): MapShape {
  const shape = (kind: string, weight: number): MapShape => ({
    kind: keyed ? `keyed ${kind}` : kind,
    weight,
  });
  const statistics = STATISTICS.exec(value);
  if (statistics) return shape('stats', Number(statistics[1]));
  if (/^-?\d+$/.test(value)) return shape('number', keyed ? 1 : Math.abs(Number(value)));
  if (value !== '' || !BUCKET.test(left[0] ?? '')) return shape('text', 1);
  let count = 0;
  for (let bucket = BUCKET.exec(left[0] ?? ''); bucket; bucket = BUCKET.exec(left[0] ?? '')) {
    count += Number(bucket[1]);
    left.shift();
  }
  return shape('hist', count);
}

function note(maps: Map<string, MapShape>, name: string, shape: MapShape): void {
  const known = maps.get(name);
  maps.set(name, known ? { kind: shape.kind, weight: known.weight + shape.weight } : shape);
}
