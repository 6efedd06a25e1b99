import { randomBytes } from 'node:crypto';
import type { SnapshotMethod } from '../contract/snapshot.js';
import { outline, type Probe } from './language/outline.js';
import { mapNames, type Token } from './language/token.js';
import { tokenize } from './language/tokenizer.js';
import { atLeast, type BpftraceVersion } from './version.js';

/**
 * How to read the maps of a program while it runs.
 *
 *   up to 0.21   SIGUSR1 makes bpftrace print all of them.
 *   from 0.22    SIGUSR1 fires `self:signal:SIGUSR1`, and does nothing without such a probe. So one that prints
 *                the maps by name is put behind the program, where it moves no line or column of it.
 *
 * The probe is only added where the program's text is understood to its end: behind an attach point that lacks its
 * body, or in a comment that is not closed, it would change what the program means.
 */
export const NO_MAPS = 'the program has no maps';

export type SnapshotPlan = { method: SnapshotMethod } | { unsupported: string };

/** @param version asked for only where it matters; undefined where bpftrace does not tell */
export async function planSnapshots(
  program: string,
  version: () => Promise<BpftraceVersion | undefined>,
): Promise<SnapshotPlan> {
  const { probes, problem } = outline(tokenize(program));
  if (problem) return { unsupported: `which maps it has is not certain: ${problem.message}` };
  const tokens = probes.flatMap(probe => probe.tokens);
  const maps = mapNames(tokens);
  if (maps.length === 0) return { unsupported: NO_MAPS };
  const method = { maps: maps.length, printsMaps: printsMaps(tokens) };
  const known = await version();
  if (!known) return { unsupported: 'the version of bpftrace is not known' };
  if (!atLeast(known, '0.22')) return { method };
  if (handlesSignal(probes)) return { unsupported: 'the program has a self:signal:SIGUSR1 probe of its own' };
  return { method: { ...method, addition: additionFor(maps) } };
}

function additionFor(maps: readonly string[]): NonNullable<SnapshotMethod['addition']> {
  // By chance, so that a program can't print it by accident.
  const mark = `bpftrace-mcp ${randomBytes(6).toString('hex')}`;
  // Of one length, so that a line of any other is seen at a glance to be none.
  const [begin, end] = [`${mark} begin`, `${mark} ended`];
  const prints = maps.map(name => `print(${name});`).join(' ');
  return {
    begin,
    end,
    text: `\nself:signal:SIGUSR1 { printf("${begin}\\n"); ${prints} printf("${end}\\n"); }\n`,
  };
}

function printsMaps(tokens: readonly Token[]): boolean {
  return tokens.some(
    ({ text }, i) => text === 'print' && tokens[i + 1]?.text === '(' && tokens[i + 2]?.kind === 'map',
  );
}

function handlesSignal(probes: readonly Probe[]): boolean {
  return probes.some(({ attachPoints }) => attachPoints.some(({ parts }) => parts[0] === 'self'));
}

const POSITION = /^(?:stdin|\/dev\/stdin):(\d+)/;
const UNDERLINE = /^\s*[~^]+\s*$/;
/** 0.17 to 0.27, when there are too many probes: one of them is ours. */
const LIMIT = /MAX_PROBES|MAX_BPF_PROGS/i;

/**
 * Whether a program that did not start would have started without what was added; undefined: its words do not tell.
 * @param stderr what bpftrace said
 */
export function isAdditionAtFault(stderr: string, program: string): boolean | undefined {
  const errors = stderr.split('\n').filter(line => /\bERROR: /.test(line));
  const places = errors.map(lineOf).filter(line => line !== undefined);
  if (places.length > 0) return places.every(line => line > linesOf(program));
  return LIMIT.test(stderr) ? true : undefined;
}

/** What bpftrace said, without its words about what was added. */
export function withoutAddition(stderr: string, program: string): string {
  const last = linesOf(program);
  const lines = stderr.split('\n');
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    if ((lineOf(lines[i]) ?? 0) <= last) kept.push(lines[i] ?? '');
    else if (UNDERLINE.test(lines[i + 2] ?? '')) i += 2;
  }
  return kept.join('\n');
}

function lineOf(text: string | undefined): number | undefined {
  const line = POSITION.exec(text ?? '')?.[1];
  return line === undefined ? undefined : Number(line);
}

function linesOf(program: string): number {
  return program.split('\n').length;
}
