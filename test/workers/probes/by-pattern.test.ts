import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ProbePattern } from '../../../src/contract/probes.js';
import { findByPattern } from '../../../workers/probes/by-pattern.js';
import { ProbeList } from '../../../workers/probes/probe-list.js';
import { manyProbes } from '../../support/many-probes.js';

/** The plain way: a regular expression over every name. */
function plainly(names: readonly string[], { provider, rest }: ProbePattern): string[] {
  const glob = rest.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
  const before = provider === undefined ? '(?:[^:]*:(?:.*:)?)?' : `${provider}:(?:.*:)?`;
  const regexp = new RegExp(`^${before}${glob}$`);
  return names.filter(name => regexp.test(name));
}

/** Each sixth function of the 150,000, so that the plain way does not take the longest: what is compared is the same. */
const EACH = 6;

describe('patterns', () => {
  let list: ProbeList;
  before(() => {
    list = new ProbeList([
      ...manyProbes().filter((name, i) => name.startsWith('tracepoint:') || i % EACH === 0),
      'kprobe:tcp_sendmsg',
      'kprobe:lower_case_name',
      'kprobe:camelCaseName',
      'kprobe:nf:CamelCaseNAME',
      'iter:x.y-z@w',
    ]);
  });
  const found = (pattern: ProbePattern): string[] =>
    Array.from(findByPattern(list, pattern).ids, id => list.names[id] ?? '');

  test('find what a regular expression over every name finds, for random patterns cut out of names', () => {
    const pattern = fc
      .record({
        name: fc.nat().map(n => list.names[n % list.names.length] ?? ''),
        whole: fc.boolean(),
        // What is replaced by a star: from where, how much, in thousandths of the length.
        cuts: fc.array(fc.tuple(fc.nat(1000), fc.nat(300)), { maxLength: 3 }),
      })
      .map(({ name, whole, cuts }): ProbePattern => {
        const colon = name.indexOf(':');
        let rest = whole ? name : name.slice(colon + 1);
        for (const [from, length] of cuts) {
          const begin = Math.floor((rest.length * from) / 1001);
          rest = `${rest.slice(0, begin)}*${rest.slice(begin + Math.ceil((rest.length * length) / 1000))}`;
        }
        return { kind: 'pattern', rest, ...(!whole && { provider: name.slice(0, colon) }) };
      });
    fc.assert(
      fc.property(pattern, one => {
        assert.deepEqual(found(one), plainly(list.names, one), JSON.stringify(one));
      }),
      { numRuns: 60 },
    );
  });

  test('find what bpftrace itself means', () => {
    const cases: readonly [ProbePattern, RegExp][] = [
      [{ kind: 'pattern', provider: 'tracepoint', rest: '*open*' }, /^tracepoint:.*open/],
      [{ kind: 'pattern', provider: 'kprobe', rest: 'tcp_*' }, /^kprobe:(?:\w+:)?tcp_/],
      [{ kind: 'pattern', rest: 'syscalls:*open*' }, /^tracepoint:syscalls:.*open/],
      [{ kind: 'pattern', rest: 'tracepoint:sched:*' }, /^tracepoint:sched:/],
      [{ kind: 'pattern', rest: '*case*' }, /case/],
      [{ kind: 'pattern', rest: '*Case*' }, /Case/],
      [{ kind: 'pattern', rest: '*:*' }, /:/],
    ];
    for (const [pattern, regexp] of cases) {
      const expected = list.names.filter(name => regexp.test(name));
      assert.ok(expected.length > 0);
      assert.deepEqual(found(pattern), expected, JSON.stringify(pattern));
    }
  });

  test('a return probe is found as its function', () => {
    const { ids, rename } = findByPattern(list, {
      kind: 'pattern',
      provider: 'kretprobe',
      rest: 'tcp_sendmsg',
    });
    assert.equal(rename, 'kretprobe');
    assert.match(list.names[ids[0] ?? -1] ?? '', /^kprobe:(?:\w+:)?tcp_sendmsg$/);
  });

  test('nothing in a pattern is special but the star', () => {
    for (const rest of ['tcp_sendms?', 'tcp_sendms[g]', '.*', 'tcp_(send|recv)msg', '\\w*', '$', '^'])
      assert.deepEqual(found({ kind: 'pattern', rest }), [], rest);
  });
});
