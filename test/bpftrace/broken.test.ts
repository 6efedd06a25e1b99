import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { parseVersion } from '../../src/bpftrace/version.js';
import { type ClientView, createEngine, type Result, type TraceEngine } from '../../src/engine/index.js';
import { BPFTRACE } from '../support/server.js';
import { ARGUMENTS } from './broken/arguments.js';
import type { Broken, Expected, Minor } from './broken/broken.js';
import { FIELDS } from './broken/fields.js';
import { KERNEL } from './broken/kernel.js';
import { LIMITS } from './broken/limits.js';
import { MAPS } from './broken/maps.js';
import { NAMES } from './broken/names.js';
import { PREAMBLE } from './broken/preamble.js';
import { PROBES } from './broken/probes.js';
import { SYNTAX } from './broken/syntax.js';
import { TYPES } from './broken/types.js';
import { VERSIONS } from './broken/versions.js';
import { WRONG_PROBES } from './broken/wrong-probes.js';

/**
 * Programs that bpftrace refuses, each with the code, the place and the hint that a client is given, tried with
 * the installed release through the engine. Each replacement that a hint offers is put in, and must cure it.
 */
const CORPUS: Readonly<Record<string, readonly Broken[]>> = {
  syntax: SYNTAX,
  versions: VERSIONS,
  names: NAMES,
  fields: FIELDS,
  types: TYPES,
  maps: MAPS,
  arguments: ARGUMENTS,
  'wrong probes': WRONG_PROBES,
  probes: PROBES,
  preamble: PREAMBLE,
  limits: LIMITS,
  'what this kernel lacks': KERNEL,
};
/** Some rows of it are right on kernels without kprobes only. */
const NEEDS_KPROBES = /^▸?(?:kprobe|kretprobe|kfunc|kretfunc|fentry|fexit)\b|kprobe:/m;
const AT_ONCE = 3;
const BOUND = { boundMs: 120_000 };
/** What is accepted runs no longer than that. */
const DEADLINE_MS = 200;
const MARK = '▸';

const hasKprobes = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'].some(tracefs =>
  existsSync(`${tracefs}/kprobe_events`),
);

describe('broken programs', () => {
  let engine: TraceEngine;
  let me: ClientView;
  let minor: Minor | undefined;
  const told = { placed: 0, programs: 0, hinted: 0, hints: 0, cured: 0, replacements: 0 };

  before(async () => {
    engine = createEngine({ bpftrace: BPFTRACE, policy: 'full', concurrency: AT_ONCE, queueLimit: 2000 });
    me = engine.as('me');
    const { bpftrace_version: text } = await me.info();
    const version = parseVersion(text ?? '');
    const known = ['0.17', '0.23', '0.27'] as const;
    minor = known.find(each => each === `${version?.major}.${version?.minor}`);
  });
  after(() => engine.close());

  async function run(program: string): Promise<Result> {
    const id = me.submit({ program, deadlineMs: DEADLINE_MS });
    await me.untilEnded(id, BOUND);
    return me.result(id);
  }

  /** What is wrong with what is told of it; nothing when it is as expected. */
  async function wrong(row: Broken): Promise<string | undefined> {
    const program = row.program.replace(MARK, '');
    const but = minor && row.but?.[minor];
    const result = await run(program);
    const first = result.diagnostics.find(({ severity, noise }) => severity === 'error' && !noise);
    const error = first ?? result.diagnostics.find(({ noise }) => !noise);
    if (but === 'fine') {
      return result.status === 'completed' ? undefined : `it fails: ${result.error_message}`;
    }
    if (result.status !== 'failed' || !error) return `it is ${result.status}`;
    const expected: Expected = { code: row.code, at: markOf(row.program), hint: row.hint ?? null, ...but };
    const at = error.line === undefined ? null : `${error.line}:${error.column}`;
    told.programs++;
    const differences: string[] = [];
    if (error.code === expected.code && at === expected.at) told.placed++;
    else differences.push(`${error.code} at ${at}, not ${expected.code} at ${expected.at}: ${error.message}`);
    if (expected.hint !== null || error.hint !== undefined) told.hints++;
    if (
      (error.hint ?? '').includes(expected.hint ?? '') &&
      (error.hint === undefined) === (expected.hint === null)
    ) {
      if (expected.hint !== null) told.hinted++;
    } else {
      differences.push(`hint ${JSON.stringify(error.hint)}, not ${JSON.stringify(expected.hint)}`);
    }
    if (error.replacement !== undefined) differences.push(...(await notCured(program, error)));
    return differences.length > 0 ? differences.join('; ') : undefined;
  }

  /** Puts the replacement in: the program works then, or has another error somewhere else. */
  async function notCured(program: string, error: Result['diagnostics'][number]): Promise<string[]> {
    const { line = 1, column = 1, end_column: end = column, replacement = '' } = error;
    told.replacements++;
    const lines = program.split('\n');
    const text = lines[line - 1] ?? '';
    lines[line - 1] = text.slice(0, column - 1) + replacement + text.slice(end - 1);
    const result = await run(lines.join('\n'));
    const left = result.diagnostics.find(each => each.code === error.code && each.line === line);
    if (result.status !== 'failed' || !left) {
      told.cured++;
      return [];
    }
    return [`with ${replacement} in its place it fails still: ${left.message}`];
  }

  for (const [name, rows] of Object.entries(CORPUS)) {
    const apt = rows.filter(row => !hasKprobes || !NEEDS_KPROBES.test(row.program));
    test(`${name}: ${apt.length} programs`, async t => {
      const mistakes: string[] = [];
      const queue = apt.values();
      const worker = async (): Promise<void> => {
        for (const row of queue) {
          const mistake = await wrong(row);
          if (mistake) mistakes.push(`${row.program}\n    ${mistake}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      judge(t, mistakes, minor);
    });
  }

  test('the verifier says why it refused a program, though bpftrace does not', async () => {
    const result = await run('BEGIN { } interval:ms:100 { $i = 0; while (1) { $i++; } }');
    const error = result.diagnostics.find(({ code }) => code === 'verifier');
    assert.match(error?.message ?? '', /: infinite loop detected/);
    assert.match(error?.log ?? '', /goto pc/);
    assert.ok((error?.log_lines ?? 0) > 5);
    assert.deepEqual([error?.line, error?.column], [1, 11]);
  });

  test('all of all', t => {
    const { placed, programs, hinted, hints, cured, replacements } = told;
    t.diagnostic(
      `code and place: ${placed} of ${programs}; hints: ${hinted} of ${hints}; cured by the replacement: ${cured} of ${replacements}`,
    );
    assert.ok(programs >= 300, `${programs} programs were refused`);
  });
});

/** A release that is not known yet may say it in other words: that is told, and no failure. */
function judge(t: TestContext, mistakes: readonly string[], minor: Minor | undefined): void {
  if (minor === undefined) for (const mistake of mistakes) t.diagnostic(mistake);
  else assert.equal(mistakes.join('\n'), '');
}

function markOf(program: string): string | null {
  const mark = program.indexOf(MARK);
  if (mark < 0) return null;
  const before = program.slice(0, mark);
  return `${before.split('\n').length}:${mark - before.lastIndexOf('\n')}`;
}
