import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BpftraceVersion, parseVersion } from '../../src/bpftrace/version.js';

/**
 * Whether a program compiles, without attaching or running it. No release offers that under one name:
 *
 * - 0.17 to 0.23: `--emit-elf /dev/null` writes the object file and ends, attaching nothing, with an honest
 *   exit status. (0.17 has `-d` too; from 0.22 on `-d` takes a stage and goes on to run the program. `--dry-run`,
 *   from 0.22 on, attaches, so that on a kernel without kprobes a good program fails like a bad one.)
 * - 0.27: `--emit-elf` is still described as a dry run but goes on to attach and RUN. `--mode codegen` is
 *   what stops after compiling.
 * - In between, untried: whichever of the two `--help` shows, with `--dry-run` beside it so that a release
 *   that goes on does not go on for long.
 *
 * Even then a kernel can stand in the way, since bpftrace looks up its features and functions while it
 * compiles. From 0.25 on `--traceable-functions` replaces the kernel's list of traceable functions, which
 * makes kprobe, fentry and (by its `__probestub_` functions) rawtracepoint compile on a kernel that has none
 * of them. What is left is told apart from a real rejection by bpftrace's message: see LACKS.
 */
export type Verdict =
  | { outcome: 'compiles' }
  | { outcome: 'rejected'; reason: string }
  /** This machine lacks what it takes to tell; `reason` is bpftrace's own message. */
  | { outcome: 'undecided'; reason: string };

export interface Compiler {
  version: BpftraceVersion;
  compile(program: string, options: { unsafe: boolean }): Promise<Verdict>;
}

// Several times the slowest compile seen (0.27, 0.4 s) on two busy cores.
const TIMEOUT_MS = 30_000;

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Messages that blame the machine, or the lack of a process to trace, rather than the program. */
const LACKS = [
  /not available for your kernel version/,
  /could not read traceable functions/i,
  /^No matches for iter /,
  /^usdt target file .* does not exist/,
  /^Failed to get `cgroupid` for path/,
  /^cpid cannot be used without child command/,
  /^-p PID or -c CMD required/,
];

/** What bpftrace adds once it has missed a feature, and says of a mistyped argument as well. */
const AFTERMATH = /^Can't find function parameter /;

/** Finds the bpftrace to test against, or says why there is none. */
export async function findCompiler(): Promise<Compiler | { missing: string }> {
  const binary = process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace';
  if (process.getuid?.() !== 0) return { missing: 'bpftrace compiles for root only' };
  if (!TRACEFS.some(mount => existsSync(`${mount}/events`))) {
    return { missing: `without tracefs there are no tracepoints: mount -t tracefs tracefs ${TRACEFS[0]}` };
  }
  const asked = await run(binary, ['--version']);
  if (asked.failure === 'ENOENT') return { missing: `${binary} is not installed` };
  const version = parseVersion(asked.output);
  if (version === undefined) throw new Error(`${binary} --version printed no version: ${asked.output}`);
  const flags = compileFlags((await run(binary, ['--help'])).output);
  return {
    version,
    async compile(program, { unsafe }) {
      const args = [...flags, ...(unsafe ? ['--unsafe'] : []), '-e', program];
      return judge(await run(binary, args, traceableFunctions(program)));
    },
  };
}

function compileFlags(help: string): string[] {
  const traceable = help.includes('--traceable-functions') ? ['--traceable-functions', '/dev/stdin'] : [];
  // The mode, not the stage of the same name that `-d` takes.
  if (/--mode\b[^(]*\([^)]*'codegen'/.test(help)) return ['--mode', 'codegen', ...traceable];
  const dryRun = help.includes('--dry-run') ? ['--dry-run'] : [];
  return ['--emit-elf', '/dev/null', ...dryRun, ...traceable];
}

/** The functions a program probes, in the form of the kernel's own list. */
function traceableFunctions(program: string): string {
  const probed = program.matchAll(/\b(?:k(?:ret)?probe|k(?:ret)?func|fentry|fexit):(\w+)/g);
  const raw = program.matchAll(/\brawtracepoint:(\w+)/g);
  const names = [
    ...[...probed].map(([, name]) => name),
    ...[...raw].map(([, name]) => `__probestub_${name}`),
  ];
  return names.map(name => `${name}\n`).join('');
}

function judge({ failure, output }: Run): Verdict {
  if (failure === undefined) return { outcome: 'compiles' };
  const lines = output.matchAll(/(?:ERROR|FATAL|what\(\)):\s+(?:Failed to compile: )?(.*)/g);
  // Some repeat one message for each probe, under the probe's name.
  const messages = new Set([...lines].map(([, message = '']) => message.replace(/^\w+:\w+: /, '')));
  const about = [...messages].filter(message => !message.includes('RLIMIT_MEMLOCK'));
  const lacking = about.filter(message => LACKS.some(lack => lack.test(message)));
  const blaming = about.filter(
    message => !lacking.includes(message) && !(lacking.length > 0 && AFTERMATH.test(message)),
  );
  if (lacking.length > 0 && blaming.length === 0) return { outcome: 'undecided', reason: lacking.join('; ') };
  return { outcome: 'rejected', reason: blaming.join('; ') || `ended by ${failure}` };
}

interface Run {
  /** How it failed: an exit status, a signal or a system error; undefined when it did not. */
  failure: string | undefined;
  output: string;
}

function run(file: string, args: string[], input = ''): Promise<Run> {
  return new Promise((resolve, reject) => {
    const stdin = openDeleted(input);
    const child = spawn(file, args, { stdio: [stdin, 'pipe', 'pipe'] });
    closeSync(stdin);
    // Not spawn's own timeout: its timer outlives a command that was not found.
    let late = false;
    const timer = setTimeout(() => {
      late = child.kill('SIGKILL');
    }, TIMEOUT_MS);
    let output = '';
    const append = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', append);
    child.stderr?.on('data', append);
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ failure: error.code ?? error.message, output });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      // A program that never ends is no verdict: it must not pass for one that is refused.
      if (late) reject(new Error(`${file} ${args.join(' ')} did not end in ${TIMEOUT_MS} ms`));
      resolve({ failure: code === 0 ? undefined : (signal ?? `exit status ${code}`), output });
    });
  });
}

// A file, not a pipe: Node's pipes are sockets, which bpftrace cannot open a second time as /dev/stdin. It is
// deleted at once, since an open descriptor is all that takes.
function openDeleted(content: string): number {
  const directory = mkdtempSync(join(tmpdir(), 'bpftrace-compile-'));
  try {
    const path = join(directory, 'stdin');
    writeFileSync(path, content);
    return openSync(path, 'r');
  } finally {
    rmSync(directory, { recursive: true });
  }
}
