import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Readable } from 'node:stream';
import type { PipeStock, StockedPipe } from '../src/contract/pipe-stock.js';

/**
 * What a child prints, from its end of a pipe to a callback: seldom and much in a flood, at once where little comes.
 *
 * A read for every line would cost more than all that is done with the line, and wake this thread each time. So:
 *
 *   watching  the pipe is in the event loop, and whatever comes is read at once. Left for `pausing` when something
 *             comes again within {@link QUIET_MS}.
 *   pausing   nobody looks at the pipe, which the writer fills meanwhile without waking anybody. Left after a while
 *             that is a small part of what it takes the fastest bpftrace to fill the pipe; the read then takes all
 *             there is. One that has found the pipe filling up reads again at once: the writer must never wait.
 *
 * Somebody who has to know that all there is has been read asks for {@link ChildOutput.eager}, which never pauses.
 */
const QUIET_MS = 1;
const PAUSE_MS = 1;
/** The fastest (85 MB/s) fills a third of a MiB in this time. */
const LONG_PAUSE_MS = 4;
const LONG_PAUSE_FROM_BYTES = 4096;
/** In a smaller pipe there is not the room to pause. */
const CAPACITY_FOR_PAUSES_BYTES = 262_144;
const CAPACITY_FOR_LONG_PAUSES_BYTES = 524_288;

/** One buffer for whatever a thread reads: a callback has done with it when it returns. Larger ones leave the cache. */
const READ_BYTES = 262_144;
let buffer: Buffer | undefined;

export interface ChildOutput {
  /** When the last writer has closed its end, and everything has been read. */
  readonly ended: Promise<void>;
  /** As long as anybody wants it so, what comes is read at once. Call what is given back when that is over. */
  eager(): () => void;
  /** Reads no more. */
  close(): void;
}

/** For standard output of a child that is about to be spawned. */
export class OutputPipe {
  private constructor(
    private readonly stock: PipeStock,
    private readonly stocked: StockedPipe,
    private readonly readEnd: number,
    readonly writeEnd: number,
  ) {}

  /** Undefined when there is none, and Node's own have to do. */
  static open(stock: PipeStock): OutputPipe | undefined {
    const stocked = stock.take();
    if (!stocked) return undefined;
    const path = `/proc/self/fd/${stocked.keeper}`;
    let writeEnd: number | undefined;
    try {
      writeEnd = openSync(path, constants.O_WRONLY);
      const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return new OutputPipe(stock, stocked, readEnd, writeEnd);
    } catch {
      if (writeEnd !== undefined) closeSync(writeEnd);
      stock.giveBack(stocked, true);
      return undefined;
    }
  }

  /** The child was not started. */
  abandon(): void {
    closeSync(this.writeEnd);
    closeSync(this.readEnd);
    this.stock.giveBack(this.stocked, true);
  }

  /** The child has its end, and is read from here on. */
  read(onBytes: (chunk: Buffer) => void): ChildOutput {
    closeSync(this.writeEnd);
    return new PacedReader(this.readEnd, this.stocked.capacityBytes, onBytes, clean =>
      this.stock.giveBack(this.stocked, clean),
    );
  }
}

class PacedReader implements ChildOutput {
  readonly ended: Promise<void>;
  private readonly socket: Socket;
  private eagerFor = 0;
  /** When it last began to watch. */
  private watchingSince = 0;
  private bytesSince = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    fd: number,
    private readonly capacityBytes: number,
    onBytes: (chunk: Buffer) => void,
    done: (clean: boolean) => void,
  ) {
    buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const chunk = buffer;
    let clean = false;
    const options: SocketConstructorOpts & ConnectOpts = {
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: chunk,
        callback: bytes => {
          onBytes(chunk.subarray(0, bytes));
          return this.goesOn(bytes);
        },
      },
    };
    this.socket = new Socket(options);
    this.socket.on('end', () => {
      clean = true;
    });
    this.socket.on('error', () => {});
    this.ended = once(this.socket, 'close').then(() => {
      clearTimeout(this.timer);
      done(clean);
    });
    this.socket.resume();
  }

  eager(): () => void {
    this.eagerFor++;
    this.watch();
    return () => {
      this.eagerFor--;
    };
  }

  close(): void {
    this.socket.destroy();
  }

  /** After a read of so many bytes: whether to go on reading. */
  private goesOn(bytes: number): boolean {
    this.bytesSince += bytes;
    const { capacityBytes } = this;
    const mayPause = this.eagerFor === 0 && capacityBytes >= CAPACITY_FOR_PAUSES_BYTES;
    if (!mayPause || bytes === READ_BYTES || this.bytesSince > capacityBytes / 2) {
      if (bytes < READ_BYTES) this.bytesSince = 0;
      return true;
    }
    const now = performance.now();
    const wasQuiet = now - this.watchingSince > QUIET_MS;
    const long = this.bytesSince > LONG_PAUSE_FROM_BYTES && capacityBytes >= CAPACITY_FOR_LONG_PAUSES_BYTES;
    this.watchingSince = now;
    this.bytesSince = 0;
    if (wasQuiet) return true;
    this.timer = setTimeout(() => this.watch(), long ? LONG_PAUSE_MS : PAUSE_MS);
    return false;
  }

  private watch(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.watchingSince = performance.now();
    this.socket.resume();
  }
}

/** What Node reads by itself. */
export function streamOutput(stream: Readable | null, onBytes: (chunk: Buffer) => void): ChildOutput {
  stream?.on('data', onBytes);
  const ended = stream ? once(stream, 'close').then(nothing, nothing) : Promise.resolve();
  return { ended, eager: () => nothing, close: () => stream?.destroy() };
}

function nothing(): void {}
