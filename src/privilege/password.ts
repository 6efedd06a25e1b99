import { spawnSync } from 'node:child_process';
import { dumpNoMemory, forgetVariable } from './forget.js';

/** The peer's name, so that a configuration written for it keeps working. */
const VARIABLE = 'BPFTRACE_PASSWD';
/** A person may have to type into what it opens. */
const ASKPASS_BOUND_MS = 60_000;

let given: string | undefined;

/**
 * The password from the environment, out of which it is taken at the first call: from then on only this process's
 * own memory has it. Call it as early as can be.
 */
export function passwordFromVariable(): string | undefined {
  const value = process.env[VARIABLE];
  if (value !== undefined) {
    dumpNoMemory();
    forgetVariable(VARIABLE);
    given = firstLine(value);
  }
  return given;
}

/**
 * What the program named by `SUDO_ASKPASS` prints, asked once. sudo's own `-A` would ask it again for every
 * bpftrace, since nothing may be remembered between them.
 */
export function passwordFromAskpass(env: NodeJS.ProcessEnv): string | undefined {
  const program = env.SUDO_ASKPASS;
  if (!program) return undefined;
  dumpNoMemory();
  const { stdout, status } = spawnSync(program, ['bpftrace-mcp: password for sudo: '], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: ASKPASS_BOUND_MS,
  });
  return status === 0 ? firstLine(stdout) : undefined;
}

/** sudo reads up to the first line end; empty is none. */
function firstLine(text: string): string | undefined {
  return /^[^\r\n\0]+/.exec(text)?.[0];
}
