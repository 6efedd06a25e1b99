import { workerData } from 'node:worker_threads';
import { LineKind, RingViews } from '../../src/contract/ring.js';
import { RingWriter } from '../../workers/ring-writer.js';
import { seeded } from './random.js';

/**
 * A writer thread for the ring's tests: writes `lines` lines in runs of random sizes. Line n is its number,
 * then filler made of the last digit of it, so that a torn line is seen for one. Sources hold gaps between
 * lines, as a pipe's chunks do.
 */
interface FloodOrder {
  ring: SharedArrayBuffer;
  lines: number;
  seed: number;
  longest: number;
}

export function lineOf(seq: number, fillerBytes: number): string {
  return `${seq}:${String(seq % 10).repeat(fillerBytes)}`;
}

/** What is wrong with a line that should be the one numbered `seq`; undefined when nothing is. */
export function faultOf(line: string, seq: number): string | undefined {
  const [number, filler = ''] = line.split(':');
  if (Number(number) !== seq) return `line ${seq} says it is ${number}`;
  if (filler !== String(seq % 10).repeat(filler.length)) return `line ${seq} is torn: ${line.slice(0, 80)}`;
  return undefined;
}

function flood({ ring, lines, seed, longest }: FloodOrder): void {
  const writer = new RingWriter(new RingViews(ring));
  const random = seeded(seed);
  for (let seq = 0; seq < lines; ) {
    const count = Math.min(lines - seq, 1 + random.below(random.below(10) === 0 ? 400 : 20));
    const parts: string[] = [];
    let at = 0;
    for (let i = 0; i < count; i++, seq++) {
      const gap = '#'.repeat(random.below(30));
      const text = lineOf(seq, random.below(longest));
      parts.push(gap, text);
      writer.stage(at + gap.length, text.length, LineKind.raw);
      at += gap.length + text.length;
    }
    writer.commit(Buffer.from(parts.join('')));
  }
}

if (workerData) flood(workerData as FloodOrder);
