import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';

/**
 * Asks on the controlling terminal, never on standard input or output, which carry the protocol.
 *
 * A client with a user interface of its own may have started us on its terminal: it reads the keys and draws the
 * screen. So nothing is asked unless the terminal is as a shell leaves it for a program that it waits for: lines
 * are edited and echoed, and we are in front.
 */

const DEVICE = '/dev/tty';

export class Terminal {
  private constructor(private readonly fd: number) {}

  /** Undefined where there is nobody to ask. */
  static open(): Terminal | undefined {
    let fd: number;
    try {
      fd = openSync(DEVICE, 'r+');
    } catch {
      return undefined;
    }
    if (isInFront() && isPlain()) return new Terminal(fd);
    closeSync(fd);
    return undefined;
  }

  say(text: string): void {
    writeSync(this.fd, text);
  }

  /**
   * One line, with the echo off while it is typed; undefined at end of input, or after `boundMs`. A signal that
   * comes meanwhile turns the echo on again and then does what it does.
   */
  async askHidden(prompt: string, boundMs: number): Promise<string | undefined> {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
    const restore = (): void => {
      stty('echo');
      this.say('\n');
    };
    const interrupted = (signal: NodeJS.Signals): void => {
      restore();
      for (const name of signals) process.off(name, interrupted);
      process.kill(process.pid, signal);
    };
    for (const name of signals) process.on(name, interrupted);
    stty('-echo');
    // A descriptor of its own: the stream closes it.
    const input = new ReadStream(openSync(DEVICE, 'r'));
    try {
      this.say(prompt);
      return await firstLineOf(input, boundMs);
    } finally {
      input.destroy();
      restore();
      for (const name of signals) process.off(name, interrupted);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function firstLineOf(input: ReadStream, boundMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    let text = '';
    const timer = setTimeout(() => resolve(undefined), boundMs);
    const finish = (line: string | undefined): void => {
      clearTimeout(timer);
      resolve(line);
    };
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => {
      text += chunk;
      const end = text.search(/[\r\n]/);
      if (end >= 0) finish(text.slice(0, end));
    });
    input.on('end', () => finish(undefined));
    input.on('error', () => finish(undefined));
  });
}

/** Our process group is the terminal's foreground one: reading from behind would stop us. */
function isInFront(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}

function isPlain(): boolean {
  const settings = stty('-a') ?? '';
  return / icanon\b/.test(settings) && / echo\b/.test(settings);
}

function stty(argument: string): string | undefined {
  const { status, stdout } = spawnSync('stty', ['-F', DEVICE, argument], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return status === 0 ? stdout : undefined;
}
