/**
 * How the supervisor (src/privilege/supervisor.pl) is spoken to: a root process between sudo and one bpftrace.
 * Its owner may neither signal bpftrace nor see into it, so both go through the supervisor's standard input and
 * standard error. The protocol is described in that file.
 *
 *   admission  from the spawn until the ready line. Standard input holds the password, if sudo wants one, and
 *              nothing else: what sudo does not take for one, it would take for the next try. What is printed is
 *              sudo's own words, which only matter if it lets nobody through.
 *   open       from the ready line on. The request is sent, then commands; the program with the request, or later
 *              where bpftrace is to stand by for it.
 *   closed     standard input has ended: the supervisor kills bpftrace, and sudo gives up.
 */

/** What a supervised child is started with. Plain data: it crosses threads. */
export interface Supervised {
  /** The password and a line end; empty where sudo asks for none. */
  secret: string;
  /** 32 hex digits of chance, in front of each report: nothing a program prints can pass for one. */
  nonce: string;
  /** Which bpftrace, its arguments and its environment. */
  path: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** From its program until the supervisor kills it, in ms. */
  lifetimeMs: number;
  /** It is started without its program, and may wait so long for it. */
  standbyMs?: number;
}

/** What only root can see of bpftrace; what the kernel's machine-dependent numbers mean is for the reader. */
export interface SupervisorLook {
  openFiles: number;
  cpuTicks: number;
  /** System call number of each thread, the main thread first; `running` for one that is in none. */
  syscalls: string[];
  /** State letter of each thread. */
  states: string;
  /** Signals that it handles: signal N is bit N - 1. */
  caught: bigint;
}

export interface SupervisorEvents {
  look?: (look: SupervisorLook) => void;
  /** bpftrace has ended, and so has everything in its group. */
  end?: (exitCode: number | null, signal: number) => void;
}

export const SUPERVISOR_READY = 'bpftrace-mcp-supervisor 1 ready\n';
/** It was right when the server started. */
const PASSWORD_CHANGED =
  'sudo: the password that the server was given is not right any more; start the server again\n';
/** Bytes of a report line, at the most: a look at a bpftrace of some hundred threads. */
const REPORT_BYTES_MAX = 4096;

export class SupervisorTalk {
  private phase: 'admission' | 'open' | 'closed' = 'admission';
  private isPasswordWrong = false;
  private readonly queued: string[] = [];
  /** Of standard error: not yet known whose words they are. Bytes as latin1. */
  private held = '';

  /**
   * @param write to the child's standard input; nothing: end it
   * @param program what bpftrace reads on its standard input; absent: it is given later
   */
  constructor(
    private readonly supervised: Supervised,
    private program: string | undefined,
    private readonly write: (chunk: Buffer | undefined) => void,
    private readonly events: SupervisorEvents = {},
  ) {
    if (supervised.secret) this.write(Buffer.from(supervised.secret));
  }

  /** Sends a signal to bpftrace's group, or to bpftrace itself behind its wrappers; other than KILL it waits for a moment when bpftrace is not blocked in writing. */
  signal(name: 'INT' | 'TERM' | 'USR1' | 'KILL', target: 'group' | 'leaf' = 'group'): void {
    // Nobody is there yet to take it: what has not begun ends by closing.
    if (this.phase === 'admission') this.close();
    else this.command(`${target === 'group' ? 'signal' : 'leaf'} ${name}`);
  }

  /** Has looks reported that often, in ms, as they change; 0: not at all. */
  watch(everyMs: number): void {
    this.command(`watch ${everyMs}`);
  }

  /** The program, where it was not there at the beginning. */
  give(program: string): void {
    this.program = program;
    if (this.phase === 'open') this.write(announced(program));
  }

  close(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.write(undefined);
  }

  /** Takes a piece of the child's standard error; gives back what of it is bpftrace's. */
  heard(chunk: Buffer): Buffer {
    this.held += chunk.toString('latin1');
    if (this.phase === 'admission') this.admit();
    return this.phase === 'open' ? this.separate() : Buffer.alloc(0);
  }

  /** At the end of standard error: what was still held. */
  rest(): Buffer {
    const rest = Buffer.from(this.isPasswordWrong ? PASSWORD_CHANGED : this.held, 'latin1');
    this.held = '';
    return rest;
  }

  private admit(): void {
    const at = this.held.indexOf(SUPERVISOR_READY);
    if (at >= 0) {
      // A lecture, a warning about the host's name: nothing about the program.
      this.held = this.held.slice(at + SUPERVISOR_READY.length);
      this.phase = 'open';
      this.write(requestOf(this.supervised, this.program));
      for (const line of this.queued.splice(0)) this.command(line);
    } else if (/try again/i.test(this.held)) {
      this.isPasswordWrong = true;
      this.close(); // It waits for another password, and this was the only one.
    }
  }

  private separate(): Buffer {
    const { nonce } = this.supervised;
    let own = '';
    for (;;) {
      const at = this.held.indexOf(nonce);
      if (at < 0) break;
      const end = this.held.indexOf('\n', at);
      if (end < 0 && this.held.length - at < REPORT_BYTES_MAX) {
        own += this.held.slice(0, at);
        this.held = this.held.slice(at);
        return Buffer.from(own, 'latin1');
      }
      own += this.held.slice(0, at);
      this.report(this.held.slice(at + nonce.length + 1, end < 0 ? undefined : end));
      this.held = end < 0 ? '' : this.held.slice(end + 1);
    }
    const kept = overlap(this.held, nonce);
    own += this.held.slice(0, this.held.length - kept);
    this.held = this.held.slice(this.held.length - kept);
    return Buffer.from(own, 'latin1');
  }

  private report(text: string): void {
    const [kind, first = '', second = '', third = '', fourth = '', fifth = '0'] = text.split(' ');
    if (kind === 'look') {
      this.events.look?.({
        openFiles: Number(first),
        cpuTicks: Number(second),
        syscalls: third.split(','),
        states: fourth,
        caught: BigInt(`0x${fifth}`),
      });
    } else if (kind === 'end') {
      const signal = Number(second);
      this.events.end?.(signal === 0 ? Number(first) : null, signal);
    }
  }

  private command(line: string): void {
    if (this.phase === 'open') this.write(Buffer.from(`${line}\n`));
    else if (this.phase === 'admission') this.queued.push(line);
  }
}

function requestOf(supervised: Supervised, program: string | undefined): Buffer {
  const { nonce, lifetimeMs, path, args, env, standbyMs = 0 } = supervised;
  const lines = [
    'bpftrace-mcp 1',
    `nonce ${nonce}`,
    `lifetime ${Math.ceil(lifetimeMs)}`,
    `path ${path}`,
    ...args.map(arg => `arg ${arg}`),
    ...Object.entries(env).map(([name, value]) => `env ${name}=${value}`),
    ...(program === undefined ? [`standby ${Math.ceil(standbyMs)}`] : []),
  ];
  // A line end inside one would begin another line.
  if (lines.some(line => /[\n\0]/.test(line)))
    throw new Error('an argument or a setting holds a line end or a NUL byte');
  const head = Buffer.from(`${lines.join('\n')}\n`);
  return program === undefined ? head : Buffer.concat([head, announced(program)]);
}

/** A program, and before it how long it is. */
function announced(program: string): Buffer {
  return Buffer.from(`program ${Buffer.byteLength(program)}\n${program}`);
}

/** How many characters at the end of `text` are the beginning of `word`. */
function overlap(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}
