import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { PipeStock, type StockedPipe } from '../../src/contract/pipe-stock.js';
import { PipeMaker } from '../../src/pool/pipe-maker.js';
import { type ChildOutput, OutputPipe, streamOutput } from '../../workers/child-output.js';
import { until } from '../support/until.js';

const BOUND_MS = 20_000;

/** Pipes that this process holds an end of, by number. */
function pipesHeld(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).match(/^pipe:.*/) ?? [];
    } catch {
      return []; // The folder itself.
    }
  });
}

describe('the output of a child', () => {
  let maker: PipeMaker;
  let heldBefore: number;
  beforeEach(async () => {
    heldBefore = pipesHeld().length;
    maker = new PipeMaker(2);
    await maker.ready();
    assert.equal(maker.problem, undefined);
  });
  afterEach(async () => {
    maker.close();
    await until('no end of a pipe is left open', BOUND_MS, () => pipesHeld().length === heldBefore);
  });

  /** What is in the stock. */
  function free(): StockedPipe[] {
    const pipes: StockedPipe[] = [];
    for (let pipe = maker.stock.take(); pipe; pipe = maker.stock.take()) pipes.push(pipe);
    for (const pipe of pipes) maker.stock.giveBack(pipe, true);
    return pipes;
  }

  interface Printer {
    child: ChildProcess;
    output: ChildOutput;
    chunks: Buffer[];
    text: () => string;
  }

  function start(script: string, stock = maker.stock): Printer {
    const pipe = OutputPipe.open(stock);
    const chunks: Buffer[] = [];
    const child = spawn('sh', ['-c', script], { stdio: ['pipe', pipe?.writeEnd ?? 'pipe', 'inherit'] });
    const take = (chunk: Buffer): void => void chunks.push(Buffer.from(chunk));
    const output = pipe ? pipe.read(take) : streamOutput(child.stdout, take);
    return { child, output, chunks, text: () => Buffer.concat(chunks).toString('latin1') };
  }

  test('comes whole, in far fewer reads than lines, through one pipe after another', async t => {
    const lines = 300_000;
    const expected = createHash('sha256');
    for (let i = 1; i <= lines; i++) expected.update(`a line among many, number ${i}\n`);
    const digest = expected.digest('hex');
    for (let round = 0; round < 4; round++) {
      // One write a line, as bpftrace does it.
      const { output, chunks } = start(
        `exec perl -e '$| = 1; print "a line among many, number $_\\n" for 1 .. ${lines}'`,
      );
      await output.ended;
      const got = createHash('sha256');
      for (const chunk of chunks) got.update(chunk);
      assert.equal(got.digest('hex'), digest);
      assert.ok(chunks.length < lines / 10, `${chunks.length} reads`);
      t.diagnostic(`${chunks.length} reads`);
    }
    assert.equal(free().length, 2, 'both pipes are clean');
  });

  test('a line that comes alone is read at once, and so is what comes when somebody is in a hurry', async () => {
    const { child, output, text } = start('while read line; do echo "$line"; done');
    for (const line of ['one', 'two', 'three']) {
      child.stdin?.write(`${line}\n`);
      await until(`${line} has come`, BOUND_MS, () => text().endsWith(`${line}\n`));
    }
    const notHurried = output.eager();
    child.stdin?.write('four\nfive\n');
    await until('five has come', BOUND_MS, () => text().endsWith('five\n'));
    notHurried();
    child.stdin?.end('six\n');
    await output.ended;
    assert.equal(text(), 'one\ntwo\nthree\nfour\nfive\nsix\n');
  });

  test('what an execution left behind never writes into a later one', async t => {
    const first = start('exec 3<&0; (read line <&3; echo leftover) & echo mine');
    await once(first.child, 'exit');
    t.after(() => first.child.stdin?.destroy());
    await until('its own line has come', BOUND_MS, () => first.text() === 'mine\n');
    first.output.close();
    await first.output.ended;
    const later = [start('sleep 0.2; echo second'), start('sleep 0.2; echo third')];
    first.child.stdin?.end('go\n');
    await Promise.all(later.map(({ output }) => output.ended));
    assert.deepEqual(
      later.map(({ text }) => text()),
      ['second\n', 'third\n'],
    );
    assert.equal(first.text(), 'mine\n');
    // One of the two pipes was spoilt, so the second of the later ones had to do with Node's own; another is made.
    maker.mend();
    await until('two are there again', BOUND_MS, () => free().length === 2);
  });

  test('a pipe for a child that could not be started goes back', () => {
    const pipe = OutputPipe.open(maker.stock);
    assert.equal(free().length, 1);
    pipe?.abandon();
    assert.equal(free().length, 2);
  });

  test('a pipe takes as much as it says before its writer has to wait', async t => {
    for (const pipe of free()) {
      // Less than 1 MiB where the kernel is short of memory, or the user has many pipes.
      t.diagnostic(`${pipe.capacityBytes} bytes`);
      assert.ok(pipe.capacityBytes >= 65_536 && pipe.capacityBytes <= 1_048_576);
      const output = OutputPipe.open(maker.stock);
      assert.ok(output);
      const child = spawn('sh', ['-c', `exec head -c ${pipe.capacityBytes} /dev/zero`], {
        stdio: ['ignore', output.writeEnd, 'inherit'],
      });
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      let bytes = 0;
      const { ended } = output.read(chunk => {
        bytes += chunk.length;
      });
      await ended;
      assert.equal(bytes, pipe.capacityBytes);
    }
  });

  test('without a pipe, Node itself reads', async () => {
    const { output, text } = start('echo one; echo two', new PipeStock());
    await output.ended;
    assert.equal(text(), 'one\ntwo\n');
  });
});
