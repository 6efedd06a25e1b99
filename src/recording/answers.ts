import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AnswersPlan } from '../contract/trace.js';
import { FOLDER, writePrivate } from './folder.js';

/**
 * What bpftrace answered to a short command: `--version`, a list of probes, a program that was only compiled. It
 * is kept by the command's arguments and what it was given on standard input; the latest answer counts.
 */
export interface KeptAnswer {
  args: readonly string[];
  stdin: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** What is relied on: the file may be damaged. */
const ANSWER = z.object({
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  stdout: z.string(),
  stderr: z.string(),
});

/** Undefined: it was not asked when the recording was made, or its file is damaged. */
export function keptAnswer({ folder, args }: AnswersPlan, stdin: string): KeptAnswer | undefined {
  try {
    const answer = JSON.parse(readFileSync(pathOf(folder, args, stdin), 'utf8')) as KeptAnswer;
    return ANSWER.safeParse(answer).success ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Never throws: who asked gets the answer all the same. */
export function keepAnswer({ folder }: AnswersPlan, answer: KeptAnswer): void {
  try {
    writePrivate(pathOf(folder, answer.args, answer.stdin), JSON.stringify(answer));
  } catch {
    // Without it the replay says that it was not recorded.
  }
}

function pathOf(folder: string, args: readonly string[], stdin: string): string {
  const key = createHash('sha256')
    .update(JSON.stringify([args, stdin]))
    .digest('hex')
    .slice(0, 32);
  return join(folder, FOLDER.answers, `${key}.json`);
}
