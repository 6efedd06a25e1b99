import { createHash } from 'node:crypto';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { Share } from './sharing.js';

export interface SubmitRequest {
  program: string;
  /** From attached to the end, in ms; the configuration's default if absent. */
  deadlineMs?: number | undefined;
  /** Lines kept, the newest win; the configuration's maximum if absent. */
  maxLines?: number | undefined;
  /** Among the programs of this client that wait, the higher first; 0 if absent. Other clients are not concerned. */
  priority?: number | undefined;
  /** With whom it may share a child, see sharing.ts; `starting` if absent. */
  share?: Share | undefined;
}

/**
 * The text of a program as bpftrace gets it.
 * @throws Refusal `invalid_argument`
 */
export function programOf(text: string, { maxProgramBytes }: Config): string {
  // A byte order mark is no part of the text; bpftrace takes it for three invalid characters.
  const program = String(text ?? '').replace(/^\uFEFF/, '');
  const bytes = Buffer.byteLength(program);
  if (program.trim() === '') {
    throw new Refusal(
      'invalid_argument',
      'the program is empty',
      'pass bpftrace source text, such as: interval:s:1 { @n = count(); }',
    );
  }
  if (bytes > maxProgramBytes) {
    throw new Refusal(
      'invalid_argument',
      `the program has ${bytes} bytes, the limit is ${maxProgramBytes}`,
      'shorten it, or ask the operator to raise max-program-bytes',
    );
  }
  if (program.includes('\0')) {
    throw new Refusal(
      'invalid_argument',
      'the program holds a NUL byte',
      'remove it: bpftrace source is text',
    );
  }
  return program;
}

/** By which logs tell programs apart: SHA-256, the first 16 hex digits. */
export function programHash(program: string): string {
  return createHash('sha256').update(program).digest('hex').slice(0, 16);
}
