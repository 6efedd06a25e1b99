import { Refusal } from '../../contract/errors.js';
import type { PromptArgument } from './prompt.js';

/** What a caller gives becomes part of a program, so only what can't end a text or a probe's name passes. */
const PID = /^[1-9]\d{0,9}$/;
/** The kernel keeps 15 bytes of a name. */
const COMM = /^[^"\\\p{Cc}]{1,15}$/u;
const PATH = /^\/[\w./+@-]{1,1023}$/;
const FUNCTION = /^[A-Za-z_][\w.@]{0,255}$/;

export const PROCESS = {
  name: 'process',
  description: 'look only at this one: its pid, or its name of at most 15 characters as ps -o comm shows it',
} as const satisfies PromptArgument;

/** The condition that picks a process: `pid == 12`, `comm == "nginx"`; undefined where none was given. */
export function isProcess(process: string | undefined): string | undefined {
  if (process === undefined) return undefined;
  if (PID.test(process)) return `pid == ${process}`;
  if (COMM.test(process) && Buffer.byteLength(process) <= 15) return `comm == "${process}"`;
  throw refusal(
    'process',
    process,
    'a pid, or a name of at most 15 characters without quotes and backslashes',
  );
}

/** A filter behind a probe, with a blank before it; empty where there is no condition. */
export function filter(...conditions: readonly (string | undefined)[]): string {
  const given = conditions.filter(condition => condition !== undefined);
  return given.length > 0 ? ` /${given.join(' && ')}/` : '';
}

export function pathOf(name: string, path: string): string {
  if (PATH.test(path)) return path;
  throw refusal(name, path, 'an absolute path of letters, digits and ./+@_-');
}

export function functionOf(name: string): string {
  if (FUNCTION.test(name)) return name;
  throw refusal('function', name, "a function's name as its binary lists it");
}

function refusal(name: string, value: string, expected: string): Refusal {
  return new Refusal(
    'invalid_argument',
    `${name} is ${JSON.stringify(value.slice(0, 80))}, and must be ${expected}`,
    'pass one like that, or leave it out',
  );
}
