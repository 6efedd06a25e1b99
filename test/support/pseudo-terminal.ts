import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.js';

/** A shell command on a pseudo-terminal of its own, whose controlling terminal it is (util-linux's script). */
export class PseudoTerminal {
  /** What the person would see. */
  shown = '';
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly closed: Promise<unknown>;

  constructor(command: string, options: { uid: number; env?: NodeJS.ProcessEnv }) {
    this.child = spawn('script', ['-qefc', command, '/dev/null'], {
      stdio: 'pipe',
      cwd: '/',
      uid: options.uid,
      gid: options.uid,
      env: { PATH: process.env.PATH, TERM: 'dumb', SHELL: '/bin/sh', ...options.env },
    });
    this.child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.shown += chunk;
    });
    this.child.stdin.on('error', () => {});
    this.closed = once(this.child, 'close');
  }

  async untilShown(what: RegExp, times = 1, boundMs = 30_000): Promise<void> {
    const pattern = new RegExp(what.source, 'g');
    await until(`the terminal shows ${what} ${times} times; it shows ${this.shown}`, boundMs, () => {
      return (this.shown.match(pattern)?.length ?? 0) >= times;
    });
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  /** Waits for its end; gives back all it has shown. */
  async ended(): Promise<string> {
    await this.closed;
    return this.shown;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
