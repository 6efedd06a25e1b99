import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadId } from 'node:worker_threads';
import { PipeStock } from '../../src/contract/pipe-stock.js';

test('what a thread has taken that is gone is spoilt; what others hold, and what is free, is not', () => {
  const stock = new PipeStock();
  for (const keeper of [7, 8, 9]) assert.ok(stock.add(keeper, 1));
  const [first, second] = [stock.take(), stock.take()];
  assert.deepEqual([first?.keeper, second?.keeper], [7, 8]);
  stock.spoilOrphans(new Set([threadId, threadId + 1]));
  assert.deepEqual(stock.takeOut('spoilt'), []);
  if (second) stock.giveBack(second, true);
  stock.spoilOrphans(new Set([threadId + 1]));
  assert.deepEqual(stock.takeOut('spoilt'), [7]);
  assert.deepEqual(stock.takeOut('free'), [8, 9]);
});
