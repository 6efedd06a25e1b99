import assert from 'node:assert/strict';
import { decodeBoard } from '../../src/contract/board.js';
import { initRing, ringBytes } from '../../src/contract/ring.js';
import { linesDropped, linesTotal, readLines } from '../../src/results/ring-reader.js';
import { LineAssembler } from '../../workers/lines.js';
import { LatestMaps } from '../../workers/maps.js';
import { RecordReader } from '../../workers/records.js';
import { RingWriter } from '../../workers/ring-writer.js';
import type { Reading } from './record-model.js';

const CAPACITY_LINES = 10_000;
const CAPACITY_BYTES = 4 * 1024 * 1024;
export interface Read extends Reading {
  droppedBytes: number;
  truncated: number;
}

/** Everything that is made of an output that arrives in these pieces. */
export function read(chunks: readonly Buffer[]): Read {
  const ring = initRing(
    new ArrayBuffer(ringBytes(CAPACITY_LINES, CAPACITY_BYTES)),
    CAPACITY_LINES,
    CAPACITY_BYTES,
  );
  const latest = new LatestMaps(CAPACITY_BYTES);
  const reader = new RecordReader(new LineAssembler(new RingWriter(ring), latest), latest);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  assert.equal(linesDropped(ring), 0);
  const { lines, truncated } = readLines(ring, 0, linesTotal(ring));
  const { maps } = decodeBoard(latest.encode('', CAPACITY_BYTES));
  const { attachedProbes, lostEvents } = reader.counters;
  return {
    lines,
    truncated: truncated.length,
    maps: maps.map(({ name, type, json }) => [name, type, json]),
    attachedProbes,
    lostEvents,
    droppedBytes: ring.droppedBytes,
  };
}

/** The same bytes, cut at these places (modulo their number). */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...[...places].map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, i) => bytes.subarray(at[i], to));
}
