import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { hasLoss } from '../../src/bpftrace/map-losses.js';
import type { MapEntry, TypedMap } from '../../src/contract/map.js';
import { decodeExactly } from '../../src/contract/text.js';
import { revealedBytes, visible } from '../../src/contract/visible.js';
import { type ClientView, createEngine, type TraceEngine } from '../../src/engine/index.js';
import { type KeyValue, type RandomMap, randomMap } from '../support/random-maps.js';
import { BPFTRACE } from '../support/server.js';

/**
 * Random maps, written by programs that the real bpftrace runs, come back as they were written; what bpftrace
 * itself destroys is in MAP_LOSSES.
 */
const PROGRAMS = 20;
const MAPS_EACH = 5;
const SEED = 20;
const BOUND = { boundMs: 60_000 };

/** As the typed map shows bytes, from which they can be had back. */
function shown(bytes: string): string {
  const text = visible(decodeExactly(Buffer.from(bytes, 'latin1')));
  assert.equal(Buffer.from(revealedBytes(text)).toString('latin1'), bytes);
  return text;
}

/** Numbers and strings of digits are the same here; texts as they are shown. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return shown(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/** The same for what was read, whose texts are shown already. */
function readable(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, readable(field)]));
}

describe('exactness', () => {
  let engine: TraceEngine;
  let me: ClientView;
  let minor: number;
  before(async () => {
    engine = createEngine({ bpftrace: BPFTRACE });
    me = engine.as('me');
    const { bpftrace_version: version } = await me.info();
    minor = Number(version?.split('.')[1]);
  });
  after(() => engine.close());

  async function run(program: string): Promise<TypedMap[]> {
    const id = me.submit({ program });
    await me.untilEnded(id, BOUND);
    const result = me.result(id, { maxBytes: 1_048_576, mapEntries: 1000 });
    assert.equal(result.status, 'completed', `${result.error_message}\n${program}`);
    return result.maps;
  }

  /** A text that stands in the program is restored, if all that stand in its place are of plain ASCII. */
  function printed(part: KeyValue, alternatives: readonly KeyValue[]): string {
    const isRestored = alternatives.every(text => /^[\x20-\x7e]*$/.test(String(text)));
    return isRestored ? String(part) : withoutBlanks(String(part));
  }

  function compare(
    name: string,
    written: RandomMap,
    read: TypedMap | undefined,
  ): { split: number; whole: number } {
    if (written.entries.length === 0) {
      assert.equal(read, undefined);
      return { split: 0, whole: 0 };
    }
    assert.ok(read, `${name} was not read`);
    assert.equal(read.kind, written.kind, name);
    const [first] = written.entries;
    if (first?.key.length === 0) {
      assert.deepEqual(readable(read.value), plain(first.value), name);
      return { split: 0, whole: 0 };
    }
    assert.equal(read.entries?.length, written.entries.length, name);
    let whole = 0;
    for (const { key, value } of written.entries) {
      const parts = key.map((part, i) =>
        shown(
          printed(
            part,
            written.entries.map(entry => entry.key[i] ?? ''),
          ),
        ),
      );
      const found: MapEntry | undefined = read.entries?.find(entry =>
        same(entry.key.map(String), parts, key),
      );
      assert.ok(found, `${name} lacks ${JSON.stringify(parts)}: ${JSON.stringify(read.entries)}`);
      assert.deepEqual(readable(found.value), plain(value), name);
      if (found.key.length !== parts.length) whole++;
    }
    assert.equal(read.keys_unsplit !== undefined, whole > 0, name);
    return { split: written.entries.length - whole, whole };
  }

  /** Split into the very parts; or whole, which only a key may be that has commas in it and two texts or more. */
  function same(read: string[], parts: string[], key: KeyValue[]): boolean {
    if (read.length === parts.length) return read.every((part, i) => part === parts[i]);
    const mayBeWhole = key.filter(part => typeof part === 'string').length > 1 && key.join('').includes(',');
    const joined = shown(key.map(part => withoutBlanks(String(part))).join(','));
    return mayBeWhole && read.length === 1 && withoutBlanks(read[0] ?? '') === joined;
  }

  const withoutBlanks = (text: string): string =>
    hasLoss('key_blanks', minor) ? text.replaceAll(' ', '') : text;

  test('what a program writes is what is read', async t => {
    const maps = fc.sample(randomMap(minor), { numRuns: PROGRAMS * MAPS_EACH, seed: SEED });
    const counts = { entries: 0, split: 0, whole: 0 };
    const batches = Array.from({ length: PROGRAMS }, (_, i) =>
      maps.slice(i * MAPS_EACH, (i + 1) * MAPS_EACH),
    );
    await Promise.all(
      batches.map(async batch => {
        const statements = batch.flatMap((map, i) =>
          map.statements.map(line => line.replace('@', `@m${i}_`)),
        );
        const read = await run(`BEGIN { ${statements.join('\n')} exit(); }`);
        for (const [i, map] of batch.entries()) {
          const name = `@m${i}_`;
          const { split, whole } = compare(
            `${name} of ${map.statements.join(' ')}`,
            map,
            read.find(one => one.name === name),
          );
          counts.entries += map.entries.length;
          counts.split += split;
          counts.whole += whole;
        }
      }),
    );
    t.diagnostic(
      `${maps.length} maps, ${counts.entries} entries; keys: ${counts.split} told, ${counts.whole} whole`,
    );
    assert.ok(counts.whole * 5 < counts.split, 'too few keys could be split');
  });

  test("where bpftrace says that it uses the kernel's type of a name and not the program's, so is it told", async () => {
    const program = `struct task_struct { int a; unsigned long long only_here; };
      BEGIN { $t = (struct task_struct *)0; @size = sizeof(struct task_struct); @v = $t->only_here; exit(); }`;
    const id = me.submit({ program });
    await me.untilEnded(id, BOUND);
    const { maps, diagnostics, status } = me.result(id);
    assert.equal(status, 'completed');
    const said = diagnostics.find(({ message }) => /redefinition of 'task_struct'/.test(message));
    const size = maps.find(({ name }) => name === '@size')?.value;
    assert.ok(Number(size) > 16, `the program's own is used: ${size}`);
    assert.equal(said !== undefined, minor >= 24, 'older ones do not say it');
    if (said) assert.deepEqual([said.severity, said.line, said.column], ['warning', 1, 8], said.hint);
  });

  test('keys that differ in blanks alone are told as such, where bpftrace takes blanks out', async () => {
    const [map] = await run('BEGIN { @m["a b"] = 1; @m["ab"] = 2; @m["c d"] = 3; exit(); }');
    const isLost = hasLoss('key_blanks', minor);
    assert.equal(map?.blanks_lost, isLost ? true : undefined);
    // Which of the two is the second, bpftrace leaves to chance.
    const keys = map?.entries?.map(({ key }) => key[0]).sort();
    assert.deepEqual(keys, isLost ? ['ab', 'ab #2', 'c d'] : ['a b', 'ab', 'c d']);
  });

  test('what buf() gives is text as a value, as it is as a key', async () => {
    const bytes = String.raw`buf("a\x01\xff~", 4)`;
    const maps = await run(`BEGIN { @v = ${bytes}; @e[1] = ${bytes}; @k[${bytes}] = 1; exit(); }`);
    const [v, e, k] = ['@v', '@e', '@k'].map(name => maps.find(map => map.name === name));
    assert.deepEqual([v?.kind, e?.kind], ['scalar', 'scalar']);
    assert.deepEqual([v?.value, e?.entries?.[0]?.value], [k?.entries?.[0]?.key[0], k?.entries?.[0]?.key[0]]);
    assert.match(String(v?.value), /^a.*ff~$/);
  });

  describe('counts of 10 and more behind a text that JSON escapes', () => {
    const fill = 'unroll(19) { @l = lhist(25, 0, 100, 10); @h[1] = hist(5); }';
    const texts = {
      'a line': String.raw`printf("\x01\n");`,
      'a line outside ASCII': String.raw`printf("%s\n", "é");`,
      'a value of a map': `@a = "é";`,
      'a key of a map': `@a["é"] = 1;`,
    };
    for (const [where, text] of Object.entries(texts)) {
      test(where, async () => {
        const maps = await run(`BEGIN { ${text} ${fill} print(@h); print(@h); exit(); }`);
        const [h, l] = ['@h', '@l'].map(name => maps.find(map => map.name === name));
        assert.deepEqual(h?.entries?.[0]?.value, histogram([4, 8, 19]));
        assert.deepEqual(l?.value, histogram([20, 30, 19]));
      });
    }

    test('in the order of the keys of one histogram, and in the snapshot that stands among the lines', async () => {
      const program = String.raw`BEGIN { unroll(19) { @h["aa"] = hist(5); @h["é"] = hist(5); @h["zz"] = hist(5); } print(@h); exit(); }
        END { printf("end\n"); }`;
      const id = me.submit({ program });
      await me.untilEnded(id, BOUND);
      const { maps, output } = me.result(id);
      assert.deepEqual(
        maps[0]?.entries?.map(({ key, value }) => [key[0], value]).sort(),
        ['aa', 'zz', 'é'].map(key => [key, histogram([4, 8, 19])]),
      );
      assert.equal(output[0]?.match(/"count": 19\b/g)?.length, 3, output[0]);
    });

    function histogram(bucket: [number, number, number]): unknown {
      const [lower, upper, count] = bucket;
      const bounds = [lower, upper];
      return { count, p50: bounds, p90: bounds, p99: bounds, buckets: [bucket] };
    }
  });
});
