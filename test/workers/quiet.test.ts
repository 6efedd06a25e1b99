import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('what a worker thread prints never reaches standard output, which carries the protocol', () => {
  const worker = new URL('../../workers/trace.js', import.meta.url).href;
  const threadSource = `import(${JSON.stringify(worker)}).then(() => {
    console.log('by console');
    process.stdout.write('by the stream\\n');
  })`;
  const mainSource = `new (require('node:worker_threads').Worker)(${JSON.stringify(threadSource)}, { eval: true })`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', mainSource], { encoding: 'utf8' });
  assert.equal(stdout, '');
  assert.deepEqual(stderr.trim().split('\n').sort(), ['by console', 'by the stream']);
});
