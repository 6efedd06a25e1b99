import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { programMaps } from '../../../src/bpftrace/language/program-maps.js';
import type { ProgramMap } from '../../../src/contract/program-map.js';

function only(body: string): ProgramMap | undefined {
  return programMaps(`BEGIN { ${body} }`).maps.find(({ name }) => name === '@x');
}

/** Types of its key parts in short: literals by their text in quotes. */
function keys(body: string): string | undefined {
  return only(body)
    ?.keys?.map(
      ({ type, literals, unsigned }) =>
        literals?.map(text => `'${text}'`).join('|') ?? (unsigned ? 'uint64' : type),
    )
    .join(' ');
}

describe('where the values of a map come from', () => {
  for (const [body, kind] of [
    ['@x = count();', 'count'],
    ['@x[pid] = hist(args.a, 3);', 'hist'],
    ['@x = lhist(1, 0, 10, 1)', 'lhist'],
    ['if (1) { @x = sum((uint64)$a); } else { @x = sum(2); } clear(@x); print(@x);', 'sum'],
    ['@x = count() + 1;', 'scalar'],
    ['@x = nsecs;', 'scalar'],
    ['@x++;', 'scalar'],
    ['@x = 1; @x = count();', undefined],
    ['print(@x);', undefined],
  ] as const) {
    test(body, () => assert.equal(only(body)?.kind, kind));
  }

  test('what only grows', () => {
    const grows = ['@x++;', '++@x;', '@x[pid] += args.ret;', '@x = 0; @x += 2;', '@x[1] -= 1;'];
    assert.deepEqual(
      grows.map(body => only(body)?.additive),
      grows.map(() => true),
    );
    const others = ['@x = 5; @x++;', '@x |= 1;', '@x = count();', '@x = @y; @x++;'];
    assert.deepEqual(
      others.map(body => only(body)?.additive),
      others.map(() => undefined),
    );
  });
});

describe('what the parts of its keys are', () => {
  for (const [body, expected] of [
    ['@x = 1;', ''],
    ['@x[pid, comm] = 1;', 'int text'],
    ['@x[str(args->name), kstack(5), ntop($a)] = count();', 'text stack word'],
    ['@x["a"] = 1; @x["b, c"] = 2;', "'a'|'b, c'"],
    ['@x["a", comm] = 1; @x[comm, comm] = 2;', 'text text'],
    ['@x[args.fd] = 1;', 'any'],
    ['@x[$p] = 1;', 'any'],
    ['$p = pid; @x[$p, $p + 1] = 1;', 'int int'],
    ['$s = "a"; $s = comm; @x[$s] = 1;', 'text'],
    ['@start[tid] = nsecs; @x[@start[tid]] = 1;', 'int'],
    ['@n = count(); @x[@n] = 1;', 'int'],
    ['@x[$x] = 1; $x = $x;', 'any'],
    ['@x[(uint64)$a, (int32)$b, (struct a *)$c, ((struct a *)$c)->d] = 1;', 'uint64 int int any'],
    ['@x[args.a == 1 ? "yes" : "no", pid] = 1;', "'yes'|'no' int"],
    ['@x[args.a > 2 ? comm : "no"] = 1;', 'text'],
    ['@x[(1, comm)] = 1;', 'int text'],
    ['$t = (1, 2); @x[$t] = 1;', undefined],
    ['@x[(1, 2), 3] = 1;', 'any int'],
    ['@x[1] = 1; @x[1, 2] = 2;', undefined],
    ['delete(@x, 1);', undefined],
    ['@x["é"] = 1;', 'text'],
    ['for ($kv : @y) { @x[$kv.0, $kv.1] = 1; }', 'any any'],
    ['@x[sizeof(uint64), reg("ip"), -1, !pid, 5 * arg0] = 1;', 'int int int int int'],
  ] as const) {
    test(body, () => assert.equal(keys(body), expected));
  }
});

describe('what else a program says', () => {
  test('places, as bpftrace names them in a warning: the map, and the function it is given', () => {
    const { maps } = programMaps('BEGIN { @a[1] = 1;\n  @b = count(); @a[2] = 1; }');
    assert.deepEqual(
      maps.map(({ name, places }) => [name, places]),
      [
        ['@a', ['1:9', '2:17']],
        ['@b', ['2:3', '2:8']],
      ],
    );
  });

  test('sizes', () => {
    const { maps, keysMax, stringBytesMax } = programMaps(
      'config = { max_map_keys = 20; max_strlen=100 } let @x = hash(5); let @y = lruhash(6); BEGIN { @x[1] = count(); @y[1] = 1; }',
    );
    assert.deepEqual([keysMax, stringBytesMax], [20, 100]);
    assert.deepEqual(
      maps.map(({ name, kind, keysMax }) => [name, kind, keysMax]),
      [
        ['@x', 'count', 5],
        ['@y', 'scalar', Number.MAX_SAFE_INTEGER],
      ],
    );
  });

  test('nothing certain of what the preprocessor, a macro or a malformed program hides', () => {
    assert.equal(programMaps('#define KEY pid, comm\nBEGIN { @x[KEY] = 1; }').maps[0]?.keys, undefined);
    assert.deepEqual(
      programMaps('macro m(@x) { @x = count(); } BEGIN { @y = 1; m(@y); }').maps.map(({ name }) => name),
      ['@y'],
    );
    assert.deepEqual(programMaps('BEGIN { @x = "unfinished }').maps, []);
  });
});
