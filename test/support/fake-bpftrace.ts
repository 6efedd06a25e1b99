import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.js';
import { type ClientView, createEngine, type Result } from '../../src/engine/index.js';

/**
 * Executables that stand in for bpftrace, for faults that the real one can't be made to show. They are given
 * `-f json -` as it is, and ignore it.
 */
export const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-fake-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

let made = 0;

/** Writes an executable file of these very bytes; gives back its path. */
export function executable(content: string | Uint8Array): string {
  const path = join(folder, `fake-${++made}`);
  writeFileSync(path, content, { mode: 0o755 });
  return path;
}

/** A shell script. */
export function shell(...lines: string[]): string {
  return executable(['#!/bin/sh', ...lines, ''].join('\n'));
}

/** A shell line that prints a record of one line of text; without one, the process's own id. It is taken for attached then. */
export function sayLine(text = "'$$'"): string {
  return `printf '%s\\n' '{"type": "printf", "data": "${text}\\n"}'`;
}

/** It can be ended by SIGKILL only. */
export const DEAF = "trap '' INT TERM";
/** It does nothing, in the process of the script itself, until a signal ends it. */
export const SLEEP = 'exec sleep 1000';

interface FakeRun {
  result: Result;
  /** From the submission to the end. */
  ms: number;
}

interface FakeOptions extends Partial<Config> {
  program?: string;
  /** A minute, if absent: the fake ends first. */
  deadlineMs?: number;
  /** Called while it runs; its end is waited for afterwards. */
  during?: (me: ClientView, id: string) => Promise<void>;
}

/** Runs one program on an engine whose bpftrace is `path`; fails when it has not ended after 20 s. */
export async function runFake(path: string, options: FakeOptions = {}): Promise<FakeRun> {
  const { program = 'BEGIN', deadlineMs = 60_000, during, ...config } = options;
  const engine = createEngine({ bpftrace: path, concurrency: 2, ...config });
  try {
    const me = engine.as('test');
    const begun = performance.now();
    const id = me.submit({ program, deadlineMs });
    await during?.(me, id);
    await me.untilEnded(id, { boundMs: 20_000 });
    const ms = performance.now() - begun;
    const result = me.result(id, { limit: 1000 });
    if (result.ended_by === undefined) throw new Error(`it has not ended: ${JSON.stringify(result)}`);
    return { result, ms };
  } finally {
    await engine.close({ hurry: true });
  }
}

/** Processes of a group that are more than zombies. */
export function groupMembers(group: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state !== 'Z' && Number(pgrp) === group;
      } catch {
        return false;
      }
    });
}
