import assert from 'node:assert/strict';
import { decodeBoard } from '../../src/contract/board.js';
import type { TypedMap } from '../../src/contract/map.js';
import { initRing, ringBytes } from '../../src/contract/ring.js';
import { readMaps } from '../../src/results/read-maps.js';
import { linesDropped, readLines } from '../../src/results/ring-reader.js';
import { LineAssembler } from '../../workers/lines.js';
import { LatestMaps } from '../../workers/map/latest-maps.js';
import { type MapReading, readingOf } from '../../workers/map/reading.js';
import { RecordReader } from '../../workers/records.js';
import { RingWriter } from '../../workers/ring-writer.js';
import { RuntimeMessages } from '../../workers/runtime-messages.js';
import type { Reading } from './record-model.js';

const CAPACITY_LINES = 10_000;
const CAPACITY_BYTES = 4 * 1024 * 1024;
/** What is known of an unknown program and an unknown bpftrace. */
export const NOTHING_KNOWN: MapReading = readingOf({ maps: [] }, undefined);

export interface Read extends Omit<Reading, 'maps'> {
  maps: TypedMap[];
  droppedBytes: number;
  truncated: number;
}

interface ReadWhere {
  capacityLines?: number;
  capacityBytes?: number;
  reading?: MapReading;
}

/** Everything that is made of an output that arrives in these pieces; nothing of it may be overwritten. */
export function read(chunks: readonly Buffer[], reading = NOTHING_KNOWN): Read {
  const { dropped, ...rest } = readInto(chunks, { reading });
  assert.equal(dropped, 0);
  return rest;
}

/** The same, into a ring that may be too small for it. */
export function readInto(chunks: readonly Buffer[], where: ReadWhere): Read & { dropped: number } {
  const { capacityLines = CAPACITY_LINES, capacityBytes = CAPACITY_BYTES, reading = NOTHING_KNOWN } = where;
  const ring = initRing(
    new ArrayBuffer(ringBytes(capacityLines, capacityBytes)),
    capacityLines,
    capacityBytes,
  );
  const messages = new RuntimeMessages();
  const latest = new LatestMaps(CAPACITY_BYTES, () => reading, messages);
  const reader = new RecordReader(new LineAssembler(new RingWriter(ring), latest), latest, messages);
  for (const chunk of chunks) {
    // As from a pipe: one buffer, whose next content replaces the last.
    const buffer = Buffer.from(chunk);
    reader.push(buffer);
    buffer.fill('?');
  }
  reader.end();
  const dropped = linesDropped(ring);
  const { lines, truncated } = readLines(ring, dropped, capacityLines);
  const { maps } = decodeBoard(latest.encode('', CAPACITY_BYTES));
  const { attachedProbes, lostEvents } = reader.counters;
  return {
    lines,
    dropped,
    truncated: truncated.length,
    maps: readMaps(maps),
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
