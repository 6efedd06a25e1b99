import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, test } from 'node:test';
import { HELPER_KINDS, type Helper, listHelpers } from '../../src/bpftrace/reference/index.js';
import { parseVersion } from '../../src/bpftrace/version.js';
import { type Compiler, findCompiler, type Verdict } from './compile.js';

/**
 * What a machine may lack: only these examples may go unjudged, each on the machines that lack it. Any other
 * one that bpftrace cannot judge fails the test, so that an example with a typo in it is not skipped for good.
 */
const MAY_LACK = new Set([
  // fentry, which bpftrace before 0.25 looks for in the running kernel.
  ...['fentry', 'fexit', 'kfunc', 'kretfunc'].map(name => `probe_type ${name}`),
  'function skboutput',
  'function socket_cookie',
  'function path',
  // bpf_override_return.
  'function override',
  // BPF iterators.
  'probe_type iter',
  // 0.23 looks for a BPF kernel function to count with.
  'map_function len',
  // A version 2 cgroup at the usual place.
  'function cgroupid',
  // A C++ library at the place Debian has it.
  'probe_type usdt',
  // A child process: nothing here starts one.
  'builtin cpid',
  'probe_type asyncwatchpoint',
]);

/** What is refused, where it does not exist, without a message about it. */
const REFUSED_UNNAMED = new Set([
  // Their examples need syntax as new as they are, which an older release stumbles over first.
  'function fail',
  'function typeof',
  'function typeinfo',
  'function container_of',
  // bpftrace crashes.
  'function unwatch',
]);

/** Names that stand for a row of names. */
const SPELLED: Record<string, string> = { argN: 'arg', sargN: 'sarg', $N: '$1' };
const spelled = (name: string) => (SPELLED[name] ?? name).toLowerCase();

const key = ({ kind, name }: Helper) => `${kind} ${name}`;
const names = (helpers: Helper[]) => helpers.map(({ name }) => name);
const at = (version: string) => parseVersion(version);

function only(name: string, kind: Helper['kind'], version: string | undefined): Helper {
  const found = listHelpers(version === undefined ? undefined : at(version), name).filter(
    helper => helper.name === name && helper.kind === kind,
  );
  const [helper] = found;
  assert.ok(helper && found.length === 1, `one ${kind} ${name}`);
  return helper;
}

describe('the entries', () => {
  const helpers = listHelpers(undefined);

  test('are unique by kind and name', () => {
    const keys = helpers.map(key);
    assert.deepEqual(
      keys.filter((each, index) => keys.indexOf(each) !== index),
      [],
    );
  });

  test('come in every kind', () => {
    assert.deepEqual(new Set(helpers.map(({ kind }) => kind)), new Set(HELPER_KINDS));
  });

  test('have short descriptions of whole sentences', () => {
    assert.deepEqual(names(helpers.filter(({ description }) => description.length > 200)), []);
    assert.deepEqual(names(helpers.filter(({ description }) => !/^[A-Z0-9].*[.)]$/.test(description))), []);
  });

  test('have an example that uses them', () => {
    const unused = helpers.filter(({ name, example }) => !example.toLowerCase().includes(spelled(name)));
    assert.deepEqual(names(unused), []);
  });
});

describe('available', () => {
  test('follows the version', () => {
    assert.equal(only('printf', 'function', 'v0.17.0').available, 'yes');
    assert.equal(only('has_key', 'map_function', 'v0.21.3').available, 'no');
    assert.equal(only('has_key', 'map_function', 'v0.22.0').available, 'yes');
    assert.equal(only('sargN', 'builtin', 'v0.24.2').available, 'yes');
    assert.equal(only('sargN', 'builtin', 'v0.25.0').available, 'no');
  });

  test('is unknown when the version is', () => {
    assert.deepEqual(new Set(listHelpers(undefined).map(({ available }) => available)), new Set(['unknown']));
  });

  test('is unknown before 0.17, save for what came later', () => {
    assert.equal(only('printf', 'function', 'v0.14.0').available, 'unknown');
    assert.equal(only('has_key', 'map_function', 'v0.14.0').available, 'no');
  });

  test('comes with since and unsafe where they say something', () => {
    assert.equal(only('has_key', 'map_function', undefined).since, '0.22');
    assert.equal('since' in only('printf', 'function', undefined), false);
    assert.equal(only('system', 'function', undefined).unsafe, true);
    assert.equal('unsafe' in only('printf', 'function', undefined), false);
  });
});

describe('filter', () => {
  const list = (filter: string) => listHelpers(at('v0.23.2'), filter);

  test('absent or blank lists everything', () => {
    assert.equal(list('').length, listHelpers(undefined).length);
    assert.equal(list('  ').length, listHelpers(undefined).length);
  });

  test('equal to a kind selects the kind alone', () => {
    for (const kind of HELPER_KINDS) {
      assert.deepEqual(new Set(list(` ${kind.toUpperCase()} `).map(helper => helper.kind)), new Set([kind]));
    }
    assert.equal(names(list('function')).includes('hist'), false);
  });

  test('of words needs each of them in name, kind or description, whatever the case', () => {
    const found = list('MAP_function Histogram');
    assert.deepEqual(names(found).sort(), ['hist', 'lhist']);
    assert.deepEqual(list('histogram no-such-word'), []);
  });

  test('finds an older spelling by the newer name', () => {
    assert.ok(names(list('kfunc')).includes('fentry'));
    assert.ok(names(list('fentry')).includes('kfunc'));
  });

  test('with * or ? is a pattern for the whole name', () => {
    assert.deepEqual(names(list('str*')).sort(), [
      ...[
        'str',
        'str_concat',
        'strcap',
        'strcontains',
        'strerror',
        'strftime',
        'strlen',
        'strncmp',
        'strstr',
      ],
    ]);
    assert.deepEqual(names(list('?hist')), ['lhist']);
    assert.deepEqual(names(list('*HIST')).sort(), ['hist', 'lhist']);
    assert.deepEqual(names(list('$?')).sort(), ['$#', '$N']);
    assert.deepEqual(list('hist*x'), []);
    assert.equal(list('*').length, list('').length);
  });

  test('of a pattern and words needs all', () => {
    assert.deepEqual(names(list('*hist equal')), ['lhist']);
  });

  test('that would make a regular expression backtrack ends at once', () => {
    const started = performance.now();
    assert.deepEqual(list(`${'*?'.repeat(200)}x`), []);
    assert.ok(performance.now() - started < 1000);
  });
});

const found = await findCompiler();
if ('missing' in found) {
  test('the examples against bpftrace', { skip: found.missing });
} else {
  test(`the examples against bpftrace ${found.version.text}`, t => againstInstalled(t, found));
}

async function againstInstalled(t: { test: typeof test }, compiler: Compiler): Promise<void> {
  const helpers = listHelpers(compiler.version);
  const verdicts = await inParallel(helpers, helper =>
    compiler.compile(helper.example, { unsafe: helper.unsafe === true }),
  );
  const wrong: string[] = [];
  const unjudged = new Map<string, string[]>();
  for (const [index, helper] of helpers.entries()) {
    const verdict = verdicts[index];
    if (verdict?.outcome === 'undecided' && MAY_LACK.has(key(helper))) {
      unjudged.set(verdict.reason, [...(unjudged.get(verdict.reason) ?? []), key(helper)]);
    } else if (!asListed(helper, verdict)) {
      wrong.push(`${key(helper)}: available ${helper.available}, but ${describeVerdict(verdict)}`);
    }
  }

  await t.test('compile exactly where the reference says so', () => {
    assert.equal(wrong.join('\n'), '');
  });

  await t.test('that are unsafe are refused without --unsafe', async () => {
    const unsafe = helpers.filter(helper => helper.unsafe === true);
    const allowed = await inParallel(unsafe, ({ example }) => compiler.compile(example, { unsafe: false }));
    assert.deepEqual(names(unsafe.filter((_, index) => allowed[index]?.outcome === 'compiles')), []);
  });

  for (const [reason, keys] of unjudged) {
    await t.test(`${keys.length} not judged: ${keys.join(', ')}`, { skip: reason });
  }
}

function asListed(helper: Helper, verdict: Verdict | undefined): boolean {
  if (helper.available === 'yes') return verdict?.outcome === 'compiles';
  if (verdict?.outcome !== 'rejected') return false;
  if (REFUSED_UNNAMED.has(key(helper))) return true;
  // Refused for what it is about: an example with a mistake in it would be refused as well.
  const reason = verdict.reason.toLowerCase();
  return reason.includes(spelled(helper.name)) || reason.includes('invalid probe type');
}

function describeVerdict(verdict: Verdict | undefined): string {
  if (verdict === undefined || verdict.outcome === 'compiles') return 'it compiles';
  return `${verdict.outcome}: ${verdict.reason}`;
}

/** A compile keeps one core busy, so one a core is all that helps. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}
