import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { childEnvironment, TRACE_ARGS } from '../../src/bpftrace/spawn-plan.js';
import { PipeMaker } from '../../src/pool/pipe-maker.js';
import { type ChildOutput, OutputPipe, streamOutput } from '../../workers/child-output.js';
import { blockedInWrite, leafProcess } from '../../workers/procfs.js';
import { signalOutsideWrite } from '../../workers/write-guard.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';
import { startWriter } from '../support/writer.js';

/** Those with Node's own pair of sockets, and those with a pipe. */
const ROUNDS = [false, true, true];
const BLOCK_BOUND_MS = 20_000;

interface Flood {
  pid: number;
  output: ChildOutput;
  outputBytes: () => number;
}

describe('a signal that would find bpftrace writing', () => {
  let busy: ChildProcess;
  before(() => {
    busy = startWriter();
  });
  after(() => {
    busy.kill();
  });

  /** Floods, until this thread has not read for so long that bpftrace is blocked; then ends it by `end`. */
  async function flooded(withPipe: boolean, end: (flood: Flood) => Promise<unknown>): Promise<string> {
    const maker = new PipeMaker(1);
    if (withPipe) await maker.ready();
    const pipe = OutputPipe.open(maker.stock);
    assert.equal(pipe !== undefined, withPipe);
    const program = `tracepoint:syscalls:sys_enter_write /pid == ${busy.pid}/ { @n = count(); printf("line %d\\n", nsecs); }`;
    const child = spawn(BPFTRACE, TRACE_ARGS, {
      env: childEnvironment(process.env),
      stdio: ['pipe', pipe?.writeEnd ?? 'pipe', 'ignore'],
    });
    const closed = once(child, 'close');
    child.stdin?.end(program);
    let bytes = 0;
    let last = '';
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      last = (last + chunk.toString('latin1')).slice(-200);
    };
    const output = pipe ? pipe.read(take) : streamOutput(child.stdout, take);
    await until('it floods', BLOCK_BOUND_MS, () => bytes >= 100_000);
    // As a thread that is busy, or gets no CPU: nothing is read while this loop runs.
    const pid = leafProcess(child.pid ?? 0);
    const begun = performance.now();
    while (blockedInWrite(pid) !== true && performance.now() - begun < BLOCK_BOUND_MS);
    assert.equal(blockedInWrite(pid), true, 'it is blocked');
    await end({ pid, output, outputBytes: () => bytes });
    const [code] = await closed;
    await output.ended;
    maker.close();
    assert.equal(code, 0);
    return last;
  }

  test(`${ROUNDS.length} ends in a flood, each when our thread has not read for a while: none loses the map`, async t => {
    for (const withPipe of ROUNDS) {
      const giveUp = new AbortController().signal;
      const last = await flooded(withPipe, async ({ pid, output, outputBytes }) => {
        const writer = { blockedInWrite: () => blockedInWrite(pid) };
        const send = () => process.kill(pid, 'SIGINT');
        assert.equal(
          await signalOutsideWrite({ writer, output, outputBytes, giveUp, send }),
          true,
          'within the bound',
        );
      });
      assert.match(last, /"type": "map", "data": \{"@n": \d+/);
    }
    const unguarded = await flooded(true, async ({ pid }) => {
      process.kill(pid, 'SIGINT');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // Still busy.
    });
    t.diagnostic(`a bare SIGINT ${/"@n"/.test(unguarded) ? 'kept' : 'lost'} the map`);
  });
});
