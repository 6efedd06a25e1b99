import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DEBUGFS_PATH, isMounted, type Mount, readMounts, TRACEFS_PATH } from '../bpftrace/checks/kernel.js';
import { childEnvironment } from '../bpftrace/spawn-plan.js';
import { findExecutable } from '../privilege/executable.js';
import { type FixContext, type MountPoint, PACKAGE_MANAGERS, type Step } from './doctor-plan.js';

/** The doctor's hands: what it looks up for the plan, and how a step is carried out. */

export interface StepOutcome {
  step: Step;
  /** What was run, sudo included. */
  argv: readonly string[];
  worked: boolean;
  /** How it ended, in words. */
  ending: string;
  /** The last lines of what it printed. */
  output: string[];
}

const OUTPUT_LINES_MAX = 100;

export async function readFixContext(bpftracePath: string): Promise<FixContext> {
  const mounts = await readMounts();
  return {
    bpftracePath,
    bpftraceExists: findExecutable(bpftracePath, process.env) !== undefined,
    packageManager: PACKAGE_MANAGERS.find(name => findExecutable(name, process.env) !== undefined),
    tracefs: mountPoint(mounts, TRACEFS_PATH, 'tracefs'),
    debugfs: mountPoint(mounts, DEBUGFS_PATH, 'debugfs'),
  };
}

function mountPoint(mounts: readonly Mount[], path: string, type: string): MountPoint {
  if (isMounted(mounts, path, type)) return 'mounted';
  // sysfs makes these directories itself when the kernel has the file system; nobody else can.
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? 'free' : 'absent';
}

const SUDO_TIMEOUT_MS = 5_000;

/** What goes before a command to run it as root without anybody being asked; undefined: nothing does. */
export async function rootPrefix(): Promise<readonly string[] | undefined> {
  if (process.geteuid?.() === 0) return [];
  const sudo = findExecutable('sudo', process.env);
  if (sudo === undefined) return undefined;
  // Credentials that the person at this terminal has just given count here, unlike for the server.
  const { worked } = await execute([sudo, '-n', 'true'], SUDO_TIMEOUT_MS, () => {});
  return worked ? [sudo, '-n'] : undefined;
}

export async function runStep(
  step: Step,
  prefix: readonly string[],
  onLine: (line: string) => void,
): Promise<StepOutcome> {
  const argv = [...prefix, ...step.argv];
  const output: string[] = [];
  const ended = await execute(argv, step.timeoutMs, line => {
    onLine(line);
    output.push(line);
    if (output.length > OUTPUT_LINES_MAX) output.shift();
  });
  return { step, argv, ...ended, output };
}

/** Between asking a package manager to stop, which it does at a safe point, and insisting. */
const TERM_GRACE_MS = 10_000;

function execute(
  argv: readonly string[],
  timeoutMs: number,
  onLine: (line: string) => void,
): Promise<{ worked: boolean; ending: string }> {
  return new Promise(resolve => {
    const [file = '', ...args] = argv;
    // In this process's group, so that Ctrl-C reaches it, and in its environment (proxies), but with sbin
    // at the end of PATH: dpkg refuses to work without.
    const { PATH: systemPath = '', LANG = 'C.UTF-8' } = childEnvironment({});
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}:${systemPath}`, LANG },
    });
    let timedOut = false;
    let insist: NodeJS.Timeout | undefined;
    const stop = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      insist = setTimeout(() => {
        child.kill('SIGKILL');
        // A grandchild may hold the pipes on.
        child.stdout.destroy();
        child.stderr.destroy();
      }, TERM_GRACE_MS);
    }, timeoutMs);
    const finish = (worked: boolean, ending: string) => {
      clearTimeout(stop);
      clearTimeout(insist);
      resolve({ worked, ending });
    };
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    child.on('error', error => finish(false, `could not be started: ${error.message}`));
    child.on('close', (exitCode, signal) => {
      if (timedOut) finish(false, `stopped after ${timeoutMs / 1000} s`);
      else if (exitCode === 0) finish(true, 'exit status 0');
      else finish(false, signal ? `killed by ${signal}` : `exit status ${exitCode}`);
    });
  });
}
