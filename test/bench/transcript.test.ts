import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Exchange, session } from '../../bench/transcript/session.js';

/** What each step is and how its reply must read, in their order. */
const EXPECTED: readonly (readonly [tool: string, stands: unknown, text: RegExp])[] = [
  ['bpf_info', undefined, /bpftrace 0\.\d+/],
  ['list_probes', undefined, /tracepoint:syscalls:sys_enter_openat/],
  ['validate_program', false, /unknown_field at 1:\d+[\s\S]*filename/],
  ['validate_program', true, /^valid/],
  ['exec_program', 'running', /^running/],
  ['get_result', 'running', /maps as they were at \d[\s\S]*seeker, \d+\]?: \d/],
  ['stop_program', 'stopped', /^stopped after [\s\S]*seeker, \d+\]?: \d/],
  ['get_result', 'stopped', /\d+ of \d+ lines from 0 on match, the first 5; offset \d+ reads on:/],
  ['get_result', 'stopped', /\d+ of \d+ lines from [1-9]\d* on match/],
];

describe('the transcript of a session', () => {
  test('each step has its status, and two pages follow one another', async () => {
    const exchanges: Exchange[] = [];
    await session(exchange => exchanges.push(exchange));
    assert.equal(exchanges.length, EXPECTED.length);
    for (const [at, [tool, stands, text]] of EXPECTED.entries()) {
      const exchange = exchanges[at];
      assert.ok(exchange);
      const { isError, structured } = exchange.reply;
      const told = `step ${at + 1}: ${exchange.reply.text}`;
      assert.deepEqual(
        [exchange.tool, isError, structured?.status ?? structured?.valid],
        [tool, false, stands],
        told,
      );
      assert.match(exchange.reply.text, text, told);
    }
    const [first = [], second = []] = exchanges.slice(-2).map(({ reply }) => offsetsIn(reply.text));
    assert.equal(first.length, 5);
    assert.ok(second.length > 0 && Number(second[0]) > Number(first.at(-1)));
  });
});

/** Sequence numbers of the lines that matched. */
function offsetsIn(text: string): number[] {
  return Array.from(text.matchAll(/^(\d+): seeker /gm), ([, offset]) => Number(offset));
}
