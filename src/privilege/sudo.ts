import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SUPERVISOR_READY } from '../contract/supervisor.js';
import type { SpawnPlan } from '../contract/trace.js';
import { SYSTEM_PATH } from './executable.js';

/**
 * Commands through sudo. `-k` makes sudo forget what it may remember: whether it asks for a password then depends
 * on its rules alone, and not on what somebody typed into the same terminal. With a password it is exactly one line
 * of standard input that sudo takes (`-S`, no prompt), before the command reads the rest.
 */

export const PERL = '/usr/bin/perl';
/** The supervisor as it stands in the package. */
export const SUPERVISOR_FILE = fileURLToPath(
  new URL('../../../src/privilege/supervisor.pl', import.meta.url),
);
export const SUPERVISOR_COMMAND: readonly string[] = [PERL, '-T', SUPERVISOR_FILE];

/** A wrong password takes sudo two seconds or more. */
const ASK_BOUND_MS = 15_000;
/** In English, since what sudo says is read. */
const SUDO_ENV = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' };

export function sudoCommand(sudo: string, command: readonly string[], withPassword: boolean): SpawnPlan {
  const flags = withPassword ? ['-k', '-S', '-p', ''] : ['-k', '-n'];
  return { command: sudo, args: [...flags, '--', ...command], env: SUDO_ENV };
}

/** What sudo or the supervisor said when it was they, and not bpftrace, that ended a command. */
export function refusalIn(stderr: string): string | undefined {
  return /^(?:sudo|bpftrace-mcp-supervisor): .*$/m.exec(stderr)?.[0];
}

/** `wrong_password` only when one was given; `no`: there is no rule, or the command can't be run. */
export type Admission = 'yes' | 'needs_password' | 'wrong_password' | 'no';

/** Whether sudo lets us through to a supervisor, found out by going there and leaving again. */
export function admissionOf(sudo: string, command: readonly string[], password?: string): Admission {
  const plan = sudoCommand(sudo, command, password !== undefined);
  const { stderr } = spawnSync(plan.command, plan.args, {
    env: plan.env,
    cwd: '/',
    input: password === undefined ? '' : `${password}\n`,
    encoding: 'utf8',
    timeout: ASK_BOUND_MS,
  });
  if (stderr?.includes(SUPERVISOR_READY)) return 'yes';
  if (/try again|incorrect password/i.test(stderr ?? '')) return 'wrong_password';
  return /password is required/i.test(stderr ?? '') ? 'needs_password' : 'no';
}
