import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chart } from '../../bench/chart.js';
import { absolute, compare, type Figure, verdictOf } from '../../bench/figure.js';
import { judge } from '../../bench/guard.js';
import { optionsOf, UsageError } from '../../bench/options.js';
import { alternate, type Sample, samplesOf, UnequalWork } from '../../bench/pairs.js';
import { joinedByRelease, rowsOf } from '../../bench/publish/rows.js';
import type { Report } from '../../bench/report.js';
import { exponentOf, percentileOf, significant, spreadOf } from '../../bench/statistics.js';

const side = (name: string, samples: number[]) => ({ name, samples });

function reportOf(figures: Figure[], failed?: string, bpftrace = 'v0.17.0'): Report {
  const settings = {};
  const machine = {
    processor: 'a processor',
    cores: 2,
    memoryGiB: 4,
    kernel: '6.1',
    load: 0,
    node: 'v20.11.0',
    bpftrace,
    ours: '0.1.0',
    settings,
  };
  const bench = { name: 'attach', tookS: 1, figures, ...(failed !== undefined && { failed }) };
  return { machine, begun: '2026-01-01T00:00:00.000Z', tookS: 1, benches: [bench] };
}

test('of a bench that several runs of one release have, the last one counts', () => {
  const figure = (name: string, value: number): Figure =>
    absolute({ name, unit: 'ms', ours: side('ours', [value]) });
  const first = reportOf([figure('a', 1)]);
  const other = {
    ...reportOf([figure('b', 2)]),
    benches: [{ name: 'read', tookS: 1, figures: [figure('b', 2)] }],
  };
  const joined = joinedByRelease([
    first,
    other,
    reportOf([figure('a', 3)]),
    reportOf([figure('a', 4)], undefined, 'v0.27.1'),
  ]);
  assert.deepEqual(
    rowsOf(joined).map(({ bench, cells }) => [
      bench,
      ...cells.map(({ release, median }) => [release, median]),
    ]),
    [
      ['attach', ['0.17', 3], ['0.27', 4]],
      ['read', ['0.17', 2]],
    ],
  );
});

describe('the statistics of benches', () => {
  test('medians and quartiles lie between samples where they must', () => {
    assert.deepEqual(spreadOf([4, 1, 3, 2]), { min: 1, q1: 1.75, median: 2.5, q3: 3.25, max: 4 });
    assert.deepEqual(spreadOf([7]), { min: 7, q1: 7, median: 7, q3: 7, max: 7 });
  });

  test('a percentile is a sample that so many do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual(
      [50, 99, 100].map(percent => percentileOf(hundred, percent)),
      [50, 99, 100],
    );
    assert.equal(percentileOf([5], 99), 5);
  });

  test('the exponent of a power is found, whatever its factor', () => {
    for (const exponent of [0, 1, 1.5, 2]) {
      const points = [1, 2, 4, 8].map(load => ({ load, cost: 3 * load ** exponent }));
      assert.ok(Math.abs(exponentOf(points) - exponent) < 1e-9, `${exponent}`);
    }
  });

  test('numbers are shown with the three figures that count', () => {
    assert.deepEqual([1234.5, 12.34, 1, 0.0012345, 0].map(significant), [
      '1235',
      '12.3',
      '1.00',
      '0.00123',
      '0',
    ]);
  });
});

describe('alternating pairs', () => {
  test('run in turns, every other one in reverse, and give a ratio of each pair', async () => {
    const order: string[] = [];
    const run =
      (name: string, factor: number) =>
      async (pair: number): Promise<Sample> => {
        order.push(name);
        return { values: { ms: factor * (pair + 1) }, work: { lines: 10 } };
      };
    const samples = await alternate(3, { ours: run('ours', 1), raw: run('raw', 4) });
    assert.deepEqual(order, ['ours', 'raw', 'raw', 'ours', 'ours', 'raw']);
    const figure = compare({
      name: 'a',
      unit: 'ms',
      ours: side('ours', samplesOf(samples.ours, 'ms')),
      rival: side('raw', samplesOf(samples.raw, 'ms')),
    });
    assert.deepEqual(figure.ratios, [0.25, 0.25, 0.25]);
  });

  test('unequal work ends them at once, and says what is unequal', async () => {
    let runs = 0;
    const run = (lines: (pair: number) => number) => async (pair: number) => {
      runs++;
      return { values: { ms: 1 }, work: { lines: lines(pair), status: 'completed' } };
    };
    await assert.rejects(
      alternate(5, { ours: run(() => 10), raw: run(pair => (pair === 1 ? 9 : 10)) }),
      (error: unknown) =>
        error instanceof UnequalWork &&
        /pair 2, ours and raw: lines is 10 here and 9 there/.test(error.message),
    );
    assert.equal(runs, 4);
  });

  test('work is compared as a bench says, and missing facts are unequal', async () => {
    const run = (work: Record<string, number>) => async () => ({ values: { ms: 1 }, work });
    const atLeast = (mine: Record<string, unknown>, other: Record<string, unknown>) =>
      Number(mine.found) < Number(other.found) ? 'fewer' : undefined;
    await alternate(1, { ours: run({ found: 5 }), raw: run({ found: 4 }) }, atLeast);
    await assert.rejects(
      alternate(1, { ours: run({ found: 3 }), raw: run({ found: 4 }) }, atLeast),
      UnequalWork,
    );
    await assert.rejects(alternate(1, { ours: run({}), raw: run({ found: 4 }) }), UnequalWork);
  });

  test('no ratio of sides that were not measured alike, nor of nothing', () => {
    const rest = { name: 'a', unit: 'ms' };
    assert.throws(
      () => compare({ ...rest, ours: side('ours', [1, 2]), rival: side('raw', [1]) }),
      /2 samples/,
    );
    assert.throws(() => compare({ ...rest, ours: side('ours', []), rival: side('raw', []) }), /0 samples/);
    assert.throws(() => compare({ ...rest, ours: side('ours', [1]), rival: side('raw', [0]) }), /Infinity/);
    assert.throws(() => samplesOf([{ values: { ms: 1 }, work: {} }], 's'), /no s was measured/);
  });
});

describe('verdicts', () => {
  test('a bound between the quartiles is uncertain, else the median decides', () => {
    const ratios = [0.4, 0.5, 0.6, 0.7, 0.8];
    assert.equal(verdictOf(ratios, { atMost: 0.75 }), 'met');
    assert.equal(verdictOf(ratios, { atMost: 0.65 }), 'uncertain');
    assert.equal(verdictOf(ratios, { atMost: 0.45 }), 'missed');
    assert.equal(verdictOf(ratios, { atLeast: 0.45 }), 'met');
    assert.equal(verdictOf(ratios, { atLeast: 0.75 }), 'missed');
  });

  test('the guard names what is worse than which bound, and a bench that could not measure', () => {
    const slow = compare({
      name: 'slow',
      unit: 'ms',
      ours: side('exec_program', [12, 20, 11]),
      rival: side('bpftrace', [10, 10, 10]),
      guard: { atMost: 1 },
    });
    const fine = absolute({ name: 'fine', unit: 'ms', ours: side('get_result', [9]), guard: { atMost: 10 } });
    const unbounded = absolute({ name: 'free', unit: 'ms', ours: side('get_result', [1e9]) });
    const { held, broken } = judge(reportOf([slow, fine, unbounded], 'it fell over'));
    assert.deepEqual(held, ['attach: fine: 9.00 (ms), must be ≤ 10']);
    assert.deepEqual(broken, [
      'attach: could not be measured: it fell over',
      'attach: slow: 1.20 (exec_program by bpftrace), must be ≤ 1',
    ]);
    assert.equal(judge(reportOf([unbounded])).broken.length, 1, 'nothing measured is not held');
  });
});

describe('the chart', () => {
  test('has a dot a run, a mark a bound, at their places on the scale; and no ratio is left out', () => {
    const figure = (ours: number) =>
      compare({
        name: 'time to <attached>',
        unit: 'ms',
        ours: side('ours', [ours]),
        rival: side('raw', [10]),
        wanted: { atMost: 1 },
      });
    const rows = rowsOf([reportOf([figure(1)]), reportOf([figure(10)], undefined, 'v0.23.2')]);
    assert.deepEqual(
      rows.map(({ cells }) => cells.map(({ release, median, verdict }) => [release, median, verdict])),
      [
        [
          ['0.17', 0.1, 'met'],
          ['0.23', 1, 'met'],
        ],
      ],
    );
    const svg = chart(rows);
    const dots = [...svg.matchAll(/<circle class="(s\d)" cx="([\d.]+)" cy="(?!16")/g)].map(match => [
      match[1],
      Number(match[2]),
    ]);
    assert.equal(dots.length, 2);
    const [tenth, same] = dots;
    const bounds = [...svg.matchAll(/<path class="bound" d="M[\d.]+ [\d.]+H([\d.]+)/g)].map(match =>
      Number(match[1]),
    );
    // The first is the legend's.
    assert.deepEqual(bounds.slice(1), [same?.[1], same?.[1]]);
    assert.ok(Number(tenth?.[1]) < Number(same?.[1]));
    assert.match(svg, /time to &lt;attached&gt;/);
    assert.match(svg, /bpftrace 0\.17[\s\S]*bpftrace 0\.23/);
    assert.doesNotMatch(svg, /NaN|undefined/);
  });
});

describe('the command line of benches', () => {
  test('takes names and options, and says what is wrong with others', () => {
    const options = optionsOf(['attach', '--pairs', '3', '--json', 'a.json', '--guard'], ['attach', 'read']);
    assert.deepEqual(options, {
      names: ['attach'],
      pairs: 3,
      minutes: 20,
      json: 'a.json',
      chart: undefined,
      guard: true,
    });
    for (const wrong of [['nosuch'], ['--pairs', '0'], ['--pairs', '1.5'], ['--minutes', 'x'], ['--nosuch']])
      assert.throws(() => optionsOf(wrong, ['attach']), UsageError, wrong.join(' '));
  });
});
