import fc from 'fast-check';
import { hasLoss } from '../../src/bpftrace/map-losses.js';

/**
 * Random maps: the bpftrace statements that write them, and what should be read back. Texts are characters a byte
 * here; integers are bigints.
 */
export type KeyValue = bigint | string;
type Read = bigint | string | readonly (bigint | string)[] | { [field: string]: unknown };

export interface RandomMap {
  /** Statements without the map's name: `@` stands for it. */
  statements: string[];
  entries: { key: KeyValue[]; value: Read }[];
  kind: string;
}

const SIGNED_EXTREMES = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  1n - 2n ** 63n,
];
const UNSIGNED_EXTREMES = [0n, 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
const signed = fc.oneof(
  fc.constantFrom(...SIGNED_EXTREMES),
  fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n }),
);
const unsigned = fc.oneof(fc.constantFrom(...UNSIGNED_EXTREMES), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const small = fc.bigInt({ min: -1000n, max: 1000n });
const PIECES = [
  'a',
  'Bc',
  '0',
  ' ',
  '  ',
  ',',
  ', ',
  '"',
  '\\',
  '\n',
  '\t',
  '#2',
  '[',
  '{',
  ':',
  '\xc3\xa9',
  '\xe2\x82\xac',
  '\xf0\x9f\x90\x9d',
  '\xff',
  '\xc3',
  '\x01',
];
/** What reads like an escape of ours, and any byte but NUL, which ends a string. */
const ESCAPES = ['\\xff', '\\u202e', '\\u{e0041}', '\\\\xc3', '\xe2\x80\xae'];
const anyByte = fc.integer({ min: 1, max: 255 }).map(code => String.fromCharCode(code));
const text = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.constantFrom(...ESCAPES), anyByte), { maxLength: 8 })
  .map(pieces => pieces.join(''))
  .filter(bytes => bytes.length <= 30);

/** A string literal of bpftrace's. */
function literal(bytes: string): string {
  const escaped = [...bytes].map(char => {
    const code = char.charCodeAt(0);
    if (char === '"' || char === '\\') return `\\${char}`;
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    return code < 0x20 || code >= 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  });
  return `"${escaped.join('')}"`;
}

const keyPart = fc.constantFrom('int', 'uint', 'text');

function written(type: string, value: KeyValue): string {
  if (typeof value === 'string') return literal(value);
  return `(${type === 'uint' ? 'uint64' : 'int64'})${value}`;
}

function partOf(type: string): fc.Arbitrary<KeyValue> {
  return type === 'text' ? text : type === 'uint' ? unsigned : signed;
}

/** Keys of up to three parts that are different, also when they have no spaces. */
const keys = fc.array(keyPart, { maxLength: 3 }).chain(types => {
  if (types.length === 0) return fc.constant({ types, list: [[]] as KeyValue[][] });
  const key = fc.tuple(...types.map(partOf)) as fc.Arbitrary<KeyValue[]>;
  const selector = (parts: KeyValue[]): string =>
    parts.map(part => String(part).replaceAll(' ', '')).join(',');
  return fc.uniqueArray(key, { minLength: 1, maxLength: 3, selector }).map(list => ({ types, list }));
});

interface Values {
  kind: string;
  /** What is assigned, in order. */
  expressions: string[];
  value: Read | undefined;
}

function valuesOf(kind: string, minor: number): fc.Arbitrary<Values> {
  switch (kind) {
    case 'signed':
      return signed.map(value => ({ kind: 'scalar', expressions: [`(int64)${value}`], value }));
    case 'unsigned':
      return unsigned.map(value => ({ kind: 'scalar', expressions: [`(uint64)${value}`], value }));
    case 'text':
      return text.map(value => ({ kind: 'scalar', expressions: [literal(value)], value }));
    case 'tuple':
      return fc.tuple(small, text).map(([number, word]) => ({
        kind: 'tuple',
        expressions: [`(${number}, ${literal(word)})`],
        value: [number, word],
      }));
    case 'count':
      return fc
        .integer({ min: 1, max: 4 })
        .map(n => ({ kind, expressions: Array(n).fill('count()'), value: BigInt(n) }));
    case 'hist':
      return numbers(histValue).map(list => ({
        kind,
        expressions: list.map(value => `hist(${value})`),
        value: buckets(list, histBounds(minor)),
      }));
    case 'lhist':
      return numbers(small).map(list => ({
        kind,
        expressions: list.map(value => `lhist(${value}, 0, 100, 7)`),
        value: buckets(list, linearBounds(minor)),
      }));
    default:
      return numbers(small).map(list => aggregated(kind, list, minor));
  }
}

const histValue = fc.oneof(small, fc.bigInt({ min: 0n, max: 2n ** 62n }));
const numbers = (value: fc.Arbitrary<bigint>) => fc.array(value, { minLength: 1, maxLength: 4 });

function aggregated(kind: string, list: bigint[], minor: number): Values {
  const expressions = list.map(value => `${kind}(${value})`);
  const total = list.reduce((sum, value) => sum + value, 0n);
  const count = BigInt(list.length);
  if (kind === 'sum') return { kind, expressions, value: total };
  if (kind === 'avg') return { kind, expressions, value: total / count };
  if (kind === 'stats') return { kind, expressions, value: { count, average: total / count, total } };
  const best = list.reduce((a, b) => ((kind === 'min') === a < b ? a : b));
  const isLost = kind === 'max' && best < 0n && hasLoss('signed_extremes', minor);
  return { kind, expressions, value: isLost ? undefined : best };
}

type BoundsOf = (value: bigint) => [bigint | null, bigint | null];

function histBounds(minor: number): BoundsOf {
  return value => {
    if (value < 0n) return [null, 0n];
    if (value === 0n) return [0n, 1n];
    const lower = 2n ** BigInt(value.toString(2).length - 1);
    return lower >= 2n ** 31n && hasLoss('large_buckets', minor) ? [2n ** 31n, null] : [lower, 2n * lower];
  };
}

/** Of lhist(…, 0, 100, 7): 7 goes fourteen times into 100, so that the last bucket begins at 98. */
function linearBounds(minor: number): BoundsOf {
  return value => {
    if (value < 0n) return [null, 0n];
    if (value >= 98n) return [hasLoss('uneven_steps', minor) ? 100n : 98n, null];
    return [(value / 7n) * 7n, (value / 7n) * 7n + 7n];
  };
}

function buckets(list: bigint[], boundsOf: BoundsOf): { [field: string]: unknown } {
  const sorted = [...list].sort((a, b) => (a < b ? -1 : 1)).map(boundsOf);
  const at = (percent: number): unknown => sorted[Math.ceil((sorted.length * percent) / 100) - 1];
  const found: [bigint | null, bigint | null, bigint][] = [];
  for (const [lower, upper] of sorted) {
    const last = found.at(-1);
    if (last && last[0] === lower) last[2]++;
    else found.push([lower, upper, 1n]);
  }
  return { count: BigInt(list.length), p50: at(50), p90: at(90), p99: at(99), buckets: found };
}

const KINDS = [
  'signed',
  'unsigned',
  'text',
  'tuple',
  'count',
  'sum',
  'min',
  'max',
  'avg',
  'stats',
  'hist',
  'lhist',
];

/** @param minor of the bpftrace that is to run it */
export function randomMap(minor: number): fc.Arbitrary<RandomMap> {
  return fc.tuple(keys, fc.constantFrom(...KINDS)).chain(([{ types, list }, kind]) =>
    fc.array(valuesOf(kind, minor), { minLength: list.length, maxLength: list.length }).map(values => ({
      kind: values[0]?.kind ?? '',
      statements: values.flatMap(({ expressions }, i) => {
        const key = (list[i] ?? []).map((part, j) => written(types[j] ?? '', part)).join(', ');
        return expressions.map(expression => `@${key === '' ? '' : `[${key}]`} = ${expression};`);
      }),
      entries: values.flatMap(({ value }, i) => (value === undefined ? [] : [{ key: list[i] ?? [], value }])),
    })),
  );
}
