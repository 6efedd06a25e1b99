import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { listHelpers } from '../../src/bpftrace/reference/index.js';
import { Policy } from '../../src/policy/policy.js';
import { installedTools } from '../support/bt-tools.js';
import { BPFTRACE } from '../support/server.js';
import { CACHE } from '../support/systems.js';
import { ONE_LINERS } from './one-liners.js';

const PROGRAMS_MIN = 250;
/** Examples of the reference that do what observe is there to keep them from. */
const NOT_FOR_OBSERVE: ReadonlySet<string> = new Set(['cat', 'skboutput']);

const observe = new Policy('observe');

/** The tools that come with bpftrace: the installed package's, and those of every system that is at hand. */
function tools(): string[] {
  const systems = existsSync(CACHE) ? readdirSync(CACHE).map(name => join(CACHE, name)) : [];
  const folders = [...systems, dirname(BPFTRACE)].map(system => join(system, 'usr/sbin')).filter(existsSync);
  return [
    ...installedTools(),
    ...folders.flatMap(folder =>
      readdirSync(folder)
        .filter(name => name.endsWith('.bt'))
        .map(name => join(folder, name)),
    ),
  ];
}

describe('the policy observe refuses', () => {
  const examples = listHelpers(undefined).filter(({ name, unsafe }) => !unsafe && !NOT_FOR_OBSERVE.has(name));

  test(`none of ${ONE_LINERS.length} programs of everyday, nor of ${examples.length} examples of the reference`, () => {
    const programs = [...ONE_LINERS, ...examples.map(({ example }) => example)];
    assert.ok(programs.length >= PROGRAMS_MIN);
    const refused = programs.flatMap(program =>
      observe.judge(program).map(({ message, rule }) => `${rule}: ${message}\n  ${program}`),
    );
    assert.deepEqual(refused, []);
  });

  test('none of the tools that come with bpftrace', t => {
    const files = tools();
    if (files.length === 0) return t.skip(`no tools come with ${BPFTRACE}`);
    const refused = files.flatMap(file =>
      observe
        .judge(readFileSync(file, 'utf8'))
        .map(({ message, rule }) => `${basename(file)}: ${rule}: ${message}`),
    );
    assert.deepEqual(refused, []);
    t.diagnostic(`${files.length} tools`);
  });
});
