import { closeSync, constants, openSync, renameSync, rmSync, writevSync } from 'node:fs';
import type { Ending } from '../src/contract/child-end.js';
import {
  type EndFrame,
  FRAME,
  FRAME_HEAD_BYTES,
  PART_SUFFIX,
  RECORDING_SUFFIX,
  type RecordTask,
} from '../src/contract/recording.js';
import type { SnapshotWitness } from './snapshots.js';

type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/**
 * Writes the recording of one child; its layout stands in recording.ts. Each frame is written when it is known, so
 * that nothing is held in memory. A fault of the disk ends the recording, and nothing else.
 */
export class Recorder implements SnapshotWitness {
  private file: number | undefined;
  private bytes = 0;
  private answers = 0;
  private cause: Ending | undefined;
  /** Why there is none. */
  problem: string | undefined;

  /** @param now ms since the child was given its program */
  constructor(
    private readonly task: RecordTask,
    private readonly now: () => number,
  ) {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    this.attempt(() => {
      // What was traced is what root saw.
      this.file = openSync(this.partPath, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
      this.write([Buffer.from(`${JSON.stringify(task.header)}\n`)]);
    });
  }

  stdout(chunk: Buffer): void {
    this.frame(FRAME.stdout, chunk);
  }

  stderr(chunk: Buffer): void {
    this.frame(FRAME.stderr, chunk);
  }

  attached(atMs: number): void {
    this.frame(FRAME.attached, {}, atMs);
  }

  ending(cause: Ending, atMs: number): void {
    this.cause = cause;
    this.frame(FRAME.ending, { cause }, atMs);
  }

  snapshotSignal(): void {
    this.frame(FRAME.snapshotSignal, {});
  }

  snapshotRead(shown: boolean, atMs: number): void {
    this.frame(FRAME.snapshotRead, { shown, at_ms: atMs });
  }

  snapshotAnswer(answer: number): void {
    this.answers++;
    this.frame(FRAME.snapshotAnswer, { answer });
  }

  /** It is whole. @param exitedAtMs as `now` tells the time */
  finish(end: Omit<EndFrame, 'ending' | 'snapshots'>, exitedAtMs: number): void {
    const frame: EndFrame = {
      ...end,
      ...(this.cause && { ending: this.cause }),
      snapshots: this.answers,
    };
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.frame(FRAME.end, frame, exitedAtMs));
    this.attempt(() => {
      if (this.file === undefined) return;
      this.write([length]);
      closeSync(this.file);
      this.file = undefined;
      renameSync(this.partPath, `${this.task.path}${RECORDING_SUFFIX}`);
    });
  }

  /** Nothing of it is kept. */
  discard(): void {
    if (this.file === undefined) return;
    closeSync(this.file);
    this.file = undefined;
    rmSync(this.partPath, { force: true });
  }

  private get partPath(): string {
    return `${this.task.path}${PART_SUFFIX}`;
  }

  /** @returns its length */
  private frame(kind: FrameKind, content: Buffer | object, atMs = this.now()): number {
    const payload = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt8(kind, 0);
    head.writeDoubleLE(atMs, 1);
    head.writeUInt32LE(payload.length, 9);
    this.attempt(() => this.write([head, payload]));
    return head.length + payload.length;
  }

  private write(parts: Buffer[]): void {
    if (this.file === undefined) return;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.bytes + length > this.task.bytesMax) {
      throw new Error(`it has more than ${this.task.bytesMax} bytes, the limit of --record-max-bytes`);
    }
    const written = writevSync(this.file, parts);
    if (written < length) throw new Error('the disk is full');
    this.bytes += length;
  }

  private attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.problem ??= error instanceof Error ? error.message : String(error);
      try {
        this.discard();
      } catch {
        // Whatever is left of it has no name of a recording.
      }
    }
  }
}
