import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import {
  type EndFrame,
  FORMAT,
  FORMAT_VERSION,
  FRAME,
  FRAME_HEAD_BYTES,
  HEADER_BYTES_MAX,
  type RecordingHeader,
} from '../contract/recording.js';

const BLOCK_BYTES = 16_384;
const LENGTH_BYTES = 4;
const END_BYTES_MAX = 1024 * 1024;

/** What is known of a recording without playing it. */
export interface TraceFile {
  path: string;
  header: RecordingHeader;
  end: EndFrame;
  /** From the program's start to the child's exit. */
  endedAtMs: number;
}

/** Of a header, what is relied on. */
const HEADER = z.object({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  execution: z.string(),
  recorded_at: z.string(),
  program: z.string(),
  deadline_ms: z.number().positive(),
  policy: z.string(),
  snapshots: z.union([z.object({ method: z.object() }), z.object({ unsupported: z.string() })]),
  map_limits: z.object({ keysMax: z.number().optional(), stringBytesMax: z.number().optional() }),
  bounds: z.object({ graceS: z.number(), floodS: z.number(), floodBytesPerS: z.number() }),
});

/** Undefined for what is no whole recording of this format. */
export function readTraceFile(path: string): TraceFile | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const header = JSON.parse(firstLine(file)) as RecordingHeader;
    if (!HEADER.safeParse(header).success) return undefined;
    const { size } = fstatSync(file);
    const endBytes = bytesAt(file, size - LENGTH_BYTES, LENGTH_BYTES).readUInt32LE(0);
    if (endBytes > END_BYTES_MAX) return undefined;
    const frame = bytesAt(file, size - LENGTH_BYTES - endBytes, endBytes);
    if (frame.readUInt8(0) !== FRAME.end) return undefined;
    const end = JSON.parse(frame.toString('utf8', FRAME_HEAD_BYTES)) as EndFrame;
    return { path, header, end, endedAtMs: frame.readDoubleLE(1) };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function firstLine(file: number): string {
  const blocks: Buffer[] = [];
  for (let at = 0; at < HEADER_BYTES_MAX; at += BLOCK_BYTES) {
    const block = Buffer.alloc(BLOCK_BYTES);
    const read = readSync(file, block, 0, BLOCK_BYTES, at);
    const end = block.subarray(0, read).indexOf('\n');
    blocks.push(block.subarray(0, end < 0 ? read : end));
    if (end >= 0) return Buffer.concat(blocks).toString('utf8');
    if (read === 0) break;
  }
  throw new Error('no first line');
}

function bytesAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (at < 0 || readSync(file, bytes, 0, length, at) < length) throw new Error('the file is too short');
  return bytes;
}
