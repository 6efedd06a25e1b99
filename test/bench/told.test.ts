import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { missingFrom } from '../../bench/questions/told.js';

/** As bpftrace 0.17 and 0.27 print it, shortened. */
const PLAIN = `Attaching 4 probes...

sipper 12 sent 15 to victim 99
@bytes[sipper, 12]: 
[1]                   70 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
[2, 4)                 0 |                                                    |
[4K, 8K)               2 |@                                                   |

@calls[sipper]: 90
@calls[cat]: 7
@once[sipper]: 90
@stacks[
    __traceiter_sched_switch+65
    __schedule+1560
    schedule+35
]: 24
@total: 97
`;
const OURS = `completed by its deadline of 2 s
maps:
@bytes[sipper, 13]: n=68 p50,p90=1 p99=4K-8K | 1:66 4K:2
@calls: (2 keys)
 sipper: 80
 dd: 3
@once[sipper]: 80
@stacks[__schedule+1560 < schedule+35]: 50
@total: 83
lines 0 to 0 of 1:
sipper 13 sent 15 to victim 101`;

/** What is taken from the reply, and what is then missing; each alone. */
const TAKEN: readonly (readonly [taken: string, put: string, missing: RegExp])[] = [
  ['@bytes[sipper, 13]: n=68 p50,p90=1 p99=4K-8K | 1:66 4K:2\n', '', /@bytes\[sipper, 12\]/],
  ['1:66 4K:2', '4K:68', /@bytes\[sipper, 12\] 1:70/],
  [' sipper: 80\n', '', /@calls\[sipper\]/],
  ['@once[sipper]', '@once[dd]', /@once\[sipper\]/],
  ['__schedule+1560 < ', '', /__schedule < schedule/],
  ['@total: 83\n', '', /@total/],
  ['sent 15', 'was killed by', /: sipper # sent #/],
];

describe('the comparison of what was told', () => {
  test('finds nothing missing where only numbers and other processes differ', () => {
    assert.deepEqual(missingFrom(OURS, PLAIN, ['sipper']), []);
  });

  test('finds whatever is missing', () => {
    for (const [taken, put, expected] of TAKEN) {
      const missing = missingFrom(OURS.replace(taken, put), PLAIN, ['sipper']);
      assert.equal(missing.length, 1, taken);
      assert.match(missing[0] ?? '', expected);
    }
  });
});
