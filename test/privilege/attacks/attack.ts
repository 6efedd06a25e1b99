import { BPFTRACE_PATH } from '../../support/helper-install.js';

/** One attempt to get more out of the helper than tracing, and what becomes of it. */
export interface Attack {
  name: string;
  /** A shell command, run as the user; `$HELPER` is the helper, `$SUDO` is `sudo -n`. Default: `$SUDO $HELPER`. */
  command?: string;
  env?: Record<string, string>;
  /** On its standard input, which stays open until it ends. Default: a request for {@link TICK}. */
  input?: string | Buffer;
  /** Its standard input ends behind that. */
  closes?: boolean;
  /** Must be found in what it prints, standard output and standard error. */
  outcome: RegExp;
}

/** Prints `traced`, and ends by itself. */
export const TICK = 'BEGIN { printf("traced\\n"); exit(); }';
/** sudo's own words, of a command that no rule allows. */
export const NOT_ALLOWED =
  /a password is required|not allowed|you are not permitted|may not run|usage: sudo|unable/;
export const NOT_A_REQUEST = /bpftrace-mcp-supervisor: not a request/;
export const ARGUMENTS_REFUSED = /these arguments are not allowed|not a request/;
/** It was run as any other request: what was tried had no effect. */
export const ONLY_TRACED = /"traced\\n"/;

interface RequestParts {
  path?: string;
  args?: readonly string[];
  env?: readonly string[];
  lifetime?: string;
  nonce?: string;
  program?: string;
  bytes?: number;
  /** It stands by for its program; an empty one does not come. */
  standby?: string;
  /** What follows the program. */
  after?: string;
}

export function request(parts: RequestParts = {}): string {
  const { program = TICK, args = ['-f', 'json', '-'] } = parts;
  const announced = [
    `program ${parts.bytes ?? Buffer.byteLength(program)}`,
    `${program}${parts.after ?? ''}`,
  ];
  return [
    'bpftrace-mcp 1',
    `nonce ${parts.nonce ?? '0123456789abcdef0123456789abcdef'}`,
    `lifetime ${parts.lifetime ?? '5000'}`,
    `path ${parts.path ?? BPFTRACE_PATH}`,
    ...args.map(arg => `arg ${arg}`),
    ...(parts.env ?? []).map(setting => `env ${setting}`),
    ...(parts.standby === undefined ? [] : [`standby ${parts.standby}`]),
    ...(parts.standby !== undefined && program === '' ? [''] : announced),
  ].join('\n');
}

/** One bpftrace tries several: starting it is what takes the time. */
export function inGroups<T>(all: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < all.length; at += size) groups.push(all.slice(at, at + size));
  return groups;
}
