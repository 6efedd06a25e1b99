import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Summary } from '../../src/results/result.js';
import { ServerUnderTest } from '../support/server.js';

interface Probe {
  name: string;
  fields?: { name: string; type: string }[];
}

interface Helper {
  name: string;
  kind: string;
  available: string;
}

/** What readers of the README are promised, through another vendor's client, on the real kernel. */
describe('tools over stdio', () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await ServerUnderTest.start();
  });
  after(async () => {
    const end = await server.close();
    assert.deepEqual(end, { code: 0, signal: null });
    assert.deepEqual(server.strayOutput, [], 'standard output carries the protocol and nothing else');
  });

  const TICKS = 'interval:ms:100 { @ticks = count(); printf("tick %d\\n", elapsed); }';

  test('a program without exit() gives its lines and its map at the deadline', async t => {
    const started = await server.result('exec_program', { program: TICKS, timeout: 2 });
    assert.equal(started.status, 'running');
    assert.equal(started.attached_probes, 1);
    let result = started;
    while (!result.ended_by) {
      result = await server.result('get_result', {
        execution_id: started.execution_id,
        offset: result.lines_total,
        wait: 10,
      });
    }
    result = await server.result('get_result', { execution_id: started.execution_id });
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline']);
    assert.equal(result.output.length, result.lines_total);
    assert.deepEqual(
      result.output.filter(line => !/^tick \d+$/.test(line)),
      [],
    );
    const ticks = Number(result.maps[0]?.value);
    assert.ok(ticks >= 18 && ticks <= 21, `@ticks is ${ticks}`);
    // bpftrace ends without draining its buffer: on a busy machine the last ticks are counted and not printed.
    assert.ok(result.lines_total <= ticks && result.lines_total >= ticks / 2, `${result.lines_total} lines`);
    t.diagnostic(`${result.lines_total} lines, @ticks ${ticks}`);
  });

  test('the same stopped early keeps both', async () => {
    const { execution_id } = await server.result('exec_program', { program: TICKS, timeout: 30 });
    await server.result('get_result', { execution_id, offset: 0, wait: 20 });
    const result = await server.result('stop_program', { execution_id });
    assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop']);
    assert.ok(result.output.length > 0);
    assert.ok(Number(result.maps[0]?.value) >= result.output.length);
  });

  test('one call with wait gives the finished result', async () => {
    const result = await server.result('exec_program', { program: TICKS, timeout: 0.5, wait: 20 });
    assert.equal(result.status, 'completed');
    assert.ok(Number(result.maps[0]?.value) >= 4);
  });

  test('who waits for the maps that come at the deadline is given the finished result with them', async () => {
    for (let i = 0; i < 3; i++) {
      const program = 'interval:ms:50 { @n = count(); }';
      const { execution_id } = await server.result('exec_program', { program, timeout: 0.3 });
      const result = await server.result('get_result', { execution_id, wait: 20 });
      assert.deepEqual([result.status, result.ended_by, result.maps.length], ['completed', 'deadline', 1]);
    }
  });

  test('a syntax error is told by exec_program itself', async () => {
    const reply = await server.call('exec_program', { program: 'BEGIN { printf("x" }' });
    assert.equal(reply.isError, false);
    assert.equal(reply.structured?.status, 'failed');
    assert.equal(reply.structured?.reason, 'compile_failed');
    assert.match(reply.text, /^failed \(compile_failed\); execution_id \w+\nerror syntax at 1:20: syntax/);
    assert.doesNotMatch(reply.text.split('\n').slice(0, -1).join('\n'), /RLIMIT_MEMLOCK/, 'noise comes last');
  });

  test('so is a probe that does not exist', async () => {
    const result = await server.result('exec_program', {
      program: 'tracepoint:sched:no_such { @ = count(); }',
    });
    assert.deepEqual([result.status, result.reason], ['failed', 'attach_failed']);
    assert.match(result.error_message ?? '', /sched:no_such/);
  });

  test('a kprobe where the kernel has none fails at attach and says why', async t => {
    const info = await server.call('bpf_info');
    const checks = info.structured?.checks as { name: string; answer: string }[];
    const kprobes = checks.find(check => check.name === 'kprobes')?.answer;
    const result = await server.result('exec_program', {
      program: 'kprobe:vfs_read { @ = count(); }',
      timeout: 0.5,
      wait: 30,
    });
    if (kprobes === 'no') {
      assert.deepEqual([result.status, result.reason], ['failed', 'attach_failed']);
      assert.match(result.error_message ?? '', /vfs_read/);
      t.diagnostic(result.error_message ?? '');
    } else {
      assert.equal(result.status, 'completed');
    }
  });

  test('list_probes pages through all of them, each once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    let total = 0;
    do {
      const { structured = {} } = await server.call('list_probes', {
        limit: 1000,
        ...(cursor && { cursor }),
      });
      seen.push(...(structured.probes as Probe[]).map(probe => probe.name));
      total = Number(structured.total);
      cursor = structured.next_cursor as string | undefined;
    } while (cursor);
    assert.equal(seen.length, total);
    assert.equal(new Set(seen).size, total);
    assert.ok(seen.includes('tracepoint:sched:sched_switch'));
  });

  test('list_probes: a pattern, a pattern without provider and words find the same; details tell the fields', async () => {
    const named = async (filter: string): Promise<string[]> =>
      (await server.list<Probe>('list_probes', 'probes', { filter })).map(probe => probe.name);
    const expected = await named('tracepoint:syscalls:sys_enter_openat*');
    assert.ok(expected.includes('tracepoint:syscalls:sys_enter_openat'));
    assert.deepEqual(await named('t:syscalls:sys_enter_openat*'), expected);
    assert.deepEqual(await named('syscalls:sys_enter_openat*'), expected);
    assert.deepEqual(await named('enter_openat SYSCALLS'), expected);
    assert.deepEqual(await named('nosuchthing'), []);
    const [detailed] = await server.list<Probe>('list_probes', 'probes', {
      filter: 'tracepoint:sched:sched_switch',
      details: true,
    });
    assert.deepEqual(detailed?.fields?.[0], { name: 'prev_comm', type: 'char[16]' });
  });

  test('list_probes: functions of a binary; options and files are no filters', async () => {
    const page = (await server.call('list_probes', { filter: 'uprobe:/bin/bash:*readline*' })).structured;
    assert.ok(Number(page?.total) > 0);
    for (const filter of ['--info', '-c id', '/etc/passwd', '-l', '--unsafe']) {
      const reply = await server.call('list_probes', { filter });
      assert.equal(reply.isError, false);
      assert.equal(reply.structured?.total, 0, filter);
    }
    assert.equal((await server.call('list_probes', { filter: 'a\nb' })).isError, true);
  });

  test('list_helpers knows what is installed', async () => {
    const all = await server.list<Helper>('list_helpers', 'helpers');
    for (const [name, kind] of [
      ['printf', 'function'],
      ['hist', 'map_function'],
      ['comm', 'builtin'],
      ['tracepoint', 'probe_type'],
    ]) {
      assert.equal(all.find(helper => helper.name === name && helper.kind === kind)?.available, 'yes', name);
    }
    const some = await server.list<Helper>('list_helpers', 'helpers', { filter: 'hist' });
    assert.ok(some.length > 0 && some.length < all.length);
  });

  test('bpf_info and list_executions answer', async () => {
    const info = (await server.call('bpf_info')).structured;
    assert.equal(info?.privileges, 'root');
    assert.match(JSON.stringify(info?.policy), /"profile":"observe"/);
    assert.match(String(info?.bpftrace_version), /^0\.\d+\.\d+/);
    const executions = await server.executions();
    assert.ok(executions.length >= 6);
    assert.ok(executions.every(execution => execution.ended_by !== undefined));
    const failed = (await server.call('list_executions', { status: 'failed' })).structured;
    assert.ok(Number(failed?.total) >= 2);
  });

  test('lists keep to the size of a reply and can be read on', async () => {
    const size = (reply: { text: string; structured: unknown }): number =>
      Math.max(Buffer.byteLength(reply.text), Buffer.byteLength(JSON.stringify(reply.structured)));
    for (const filter of [undefined, 'function', 'builtin', 'str', 'printf']) {
      const reply = await server.call('list_helpers', filter === undefined ? {} : { filter });
      assert.ok(size(reply) <= 8192, `${filter}: ${size(reply)} bytes`);
      assert.match(reply.text, filter === undefined ? /^function: .*\bprintf\b/m : /printf|cgroup/);
    }
    // Refused programs are no executions; these fail when they are compiled.
    const program = `BEGIN { $x = ${'1 + '.repeat(60)}"a"; }`;
    const ids = new Set<string>();
    for (let i = 0; i < 30; i++) ids.add((await server.result('exec_program', { program })).execution_id);
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const reply = await server.call('list_executions', { ...(cursor && { cursor }) });
      assert.ok(size(reply) <= 8192, `${size(reply)} bytes`);
      const page = (reply.structured?.executions ?? []) as Summary[];
      for (const { execution_id: id } of page) seen.add(id);
      assert.ok(reply.structured?.total === (await server.call('list_executions')).structured?.total);
      cursor = reply.structured?.next_cursor as string | undefined;
    } while (cursor);
    assert.ok([...ids].every(id => seen.has(id)));
    assert.match(
      (await server.call('list_executions', { cursor: 'x' })).text,
      /^invalid_argument: the cursor/,
    );
  });

  test('a wrong argument, a wrong id, an offset past the end: a tool error that says what to do', async () => {
    for (const [tool, args, pattern] of [
      ['exec_program', {}, /program: .*got nothing[\s\S]*Next: exec_program takes program, timeout\?/],
      ['exec_program', { program: 'BEGIN { exit(); }', timeout: 600 }, /timeout: .*60 \(got 600\)/],
      ['exec_program', { program: 'BEGIN { exit(); }', time: 5 }, /unknown argument "time"/],
      ['exec_program', { program: '' }, /the program is empty/],
      ['get_result', { execution_id: 'nonsense' }, /there is no execution "nonsense"/],
      ['get_result', { execution_id: 'x', limit: 5000 }, /limit: .*1000 \(got 5000\)/],
      ['stop_program', { execution_id: 'x' }, /list_executions shows yours/],
      ['list_executions', { status: 'lost' }, /status: /],
    ] as const) {
      const reply = await server.call(tool, args);
      assert.equal(reply.isError, true, JSON.stringify(args));
      assert.match(reply.text, pattern);
      assert.match(reply.text, /\nNext: /);
    }
    const { execution_id } = await server.result('exec_program', { program: 'BEGIN { exit(); }', wait: 20 });
    const past = await server.call('get_result', { execution_id, offset: 1 });
    assert.match(past.text, /^offset_out_of_range: offset 1 is past the end: 0 lines/);
  });
});
