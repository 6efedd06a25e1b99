import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { bpftracesOf } from '../support/processes.js';
import { type Reply, ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

/** 10,000 calls with random arguments: every answer is a result or a clear tool error, the server lives, memory settles. */
const CALLS = 10_000;
const AT_ONCE = 32;
const SEED = 20261122;
/** The last third may not add more than this to what the second third reached. */
const GROWTH_MAX = 1.25;

const PROGRAMS = [
  'BEGIN { printf("hi\\n"); exit(); }',
  'BEGIN { @x[1, "a"] = 5; @h = hist(7); exit(); }',
  'interval:ms:10 { @ = count(); }',
  'BEGIN { printf("x" }',
  'kprobe:vfs_read { @ = count(); }',
  'tracepoint:no:such { }',
  '',
  '-e',
  '--unsafe',
  '/etc/passwd',
];
const ids: string[] = [];

const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    0.5,
    1e308,
    '',
    ' ',
    '\0',
    '__proto__',
    [],
    {},
    ['a'],
    '9'.repeat(5000),
  ),
  fc.anything({ maxDepth: 2, withNullPrototype: false }),
);
/** Mostly a value of the right kind, now and then any at all. */
const or = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 20, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: oddValue });

/** Ids are known only when the calls are made: `#7` stands for one of them until then. */
const id = fc.oneof(
  { weight: 5, arbitrary: fc.nat().map(n => `#${n}`) },
  { weight: 1, arbitrary: fc.string() },
);
function withId(args: Record<string, unknown>): Record<string, unknown> {
  const placeholder = args.execution_id;
  if (typeof placeholder !== 'string' || !/^#\d+$/.test(placeholder) || ids.length === 0) return args;
  return { ...args, execution_id: ids[Number(placeholder.slice(1)) % ids.length] };
}
const number = (max: number) => fc.oneof(fc.nat(max), fc.double(), fc.integer());
/** A wait that is valid is kept short, so that ten thousand calls end some day. */
const wait = fc.constantFrom(0, 0.01, 0.05);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('*', 'sched', 'tracepoint:*', 'syscalls:*open*', '--info', 'a b', ':::', '*'.repeat(50)),
);

type Arguments = fc.Arbitrary<Record<string, unknown>>;
const argumentsOf: Record<string, Arguments> = {
  exec_program: fc.record(
    {
      program: or(
        fc.oneof(
          { weight: 1, arbitrary: fc.constantFrom(...PROGRAMS) },
          { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
        ),
      ),
      timeout: or(fc.constantFrom(0.1, 0.2)),
      wait: or(wait),
      max_lines: or(fc.nat(12_000)),
    },
    { requiredKeys: ['program'] },
  ),
  validate_program: fc.record({ program: or(fc.constantFrom(...PROGRAMS)) }, { requiredKeys: [] }),
  get_result: fc.record(
    {
      execution_id: or(id),
      offset: or(fc.nat(2)),
      limit: or(fc.nat(1100)),
      wait: or(wait),
      snapshot: or(fc.boolean()),
      match: or(fc.constantFrom('h.', 'h.', 'x', '[a-z]+', '', '(', '(a{50}){50}')),
      map_entries: or(fc.nat(10_050)),
      exact_stacks: or(fc.boolean()),
      max_bytes: or(fc.integer({ min: 2000, max: 1_050_000 })),
    },
    { requiredKeys: ['execution_id'] },
  ),
  stop_program: fc.record({ execution_id: or(id) }, { requiredKeys: [] }),
  list_executions: fc.record(
    { status: or(fc.constantFrom('queued', 'running', 'failed', 'completed', 'stopped')) },
    { requiredKeys: [] },
  ),
  list_probes: fc.record(
    // No details: each costs a run of bpftrace, and what is tested here is the arguments.
    {
      filter: or(text),
      limit: or(number(1000)),
      cursor: or(text),
      details: fc.constantFrom(false, 'yes', 1),
    },
    { requiredKeys: [] },
  ),
  list_helpers: fc.record({ filter: or(text) }, { requiredKeys: [] }),
  bpf_info: fc.record({ anything: oddValue }, { requiredKeys: [] }),
};
/** How often each tool is called: the one that starts processes less often than the others. */
const toolName = fc.oneof(
  { weight: 4, arbitrary: fc.constant('exec_program') },
  { weight: 1, arbitrary: fc.constant('validate_program') },
  { weight: 40, arbitrary: fc.constant('get_result') },
  { weight: 10, arbitrary: fc.constantFrom('stop_program', 'list_executions', 'list_helpers', 'bpf_info') },
  { weight: 20, arbitrary: fc.constant('list_probes') },
);
const call = toolName.chain(name =>
  fc.tuple(
    fc.constant(name),
    (argumentsOf[name] ?? fc.constant({})).chain(args =>
      fc.oneof(
        { weight: 9, arbitrary: fc.constant(args) },
        {
          weight: 1,
          arbitrary: fc
            .record({ key: fc.string(), value: oddValue })
            .map(({ key, value }) => ({ ...args, [key]: value })),
        },
      ),
    ),
  ),
);

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

test(`${CALLS} calls with random arguments (seed ${SEED})`, async t => {
  const server = await ServerUnderTest.start([
    '--log-level',
    'error',
    '--concurrency',
    '4',
    '--queue-limit',
    '64',
    '--max-results',
    '200',
    // It would be a child that is left.
    '--standby',
    '0',
  ]);
  t.after(() => server.process.kill('SIGKILL'));
  const samples = fc.sample(call, { numRuns: CALLS, seed: SEED });
  const counts = { results: 0, errors: new Map<string, number>() };
  const memory: number[] = [];
  let next = 0;

  const check = (name: string, args: unknown, reply: Reply): void => {
    const told = `${name} ${JSON.stringify(args)?.slice(0, 200)} → ${reply.text.slice(0, 300)}`;
    assert.ok(reply.text.length > 0, told);
    if (!reply.isError) {
      assert.equal(typeof reply.structured, 'object', told);
      counts.results++;
      if (name === 'exec_program') ids.push(String(reply.structured?.execution_id));
      return;
    }
    const [, code = '?'] = /^([a-z_]+): .+\nNext: .+/s.exec(reply.text) ?? [];
    assert.match(
      code,
      /^(invalid_argument|busy|unknown_execution|result_gone|offset_out_of_range|policy_denied)$/,
      told,
    );
    counts.errors.set(code, (counts.errors.get(code) ?? 0) + 1);
  };
  const caller = async (): Promise<void> => {
    for (let i = next++; i < samples.length; i = next++) {
      const [name, template] = samples[i] ?? ['', {}];
      const args = withId(template);
      check(name, args, await server.call(name, args));
      if (i % 500 === 0) memory.push(residentBytes(server.pid));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));

  assert.ok(counts.results > 1000 && ids.length > 100, 'many of the calls were right');
  assert.ok((counts.errors.get('invalid_argument') ?? 0) > 1000, 'and many were wrong');
  await until(
    'every execution has ended',
    60_000,
    async () => (await server.call('list_executions', { status: 'running' })).structured?.total === 0,
  );
  await until('no child is left', 20_000, () => bpftracesOf(server.pid).length === 0);
  const third = Math.floor(memory.length / 3);
  const [middle, last] = [Math.max(...memory.slice(third, 2 * third)), Math.max(...memory.slice(2 * third))];
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  t.diagnostic(
    `${counts.results} results; errors: ${[...counts.errors].map(([code, count]) => `${code} ${count}`).join(', ')}`,
  );
  t.diagnostic(`resident: ${memory.map(megabytes).join(', ')}`);
  assert.ok(last <= middle * GROWTH_MAX, `memory settles: ${megabytes(middle)}, then ${megabytes(last)}`);
  assert.deepEqual(await server.close(), { code: 0, signal: null });
  assert.deepEqual(server.strayOutput, []);
});
