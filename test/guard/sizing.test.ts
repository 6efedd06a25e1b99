import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { ownMib } from '../../src/guard/child-memory.js';
import { groupMemory } from '../../src/guard/control-group.js';
import { type MemoryLook, mostAtOnce, reserveMib, Sizing } from '../../src/guard/sizing.js';
import { MAIN, ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

const CALM: MemoryLook = { availableMib: 10_000, pressure: 0, running: 0, childrenMib: [] };

describe('sizing', () => {
  test('as many as there is memory for, by what children turn out to cost', () => {
    const first = new Sizing(8, 200, { ...CALM, availableMib: 632 });
    assert.deepEqual([first.size, first.costMib, first.isMeasured], [6, 72, false]);
    assert.equal(first.look({ ...CALM, availableMib: 500, running: 2, childrenMib: [100, 200] }), 3);
    assert.equal(first.costMib, 174);
    for (let n = 0; n < 100; n++)
      first.look({ ...CALM, availableMib: 500, running: 2, childrenMib: [20, 20] });
    assert.equal(first.costMib, 44);
    assert.equal(first.size, 8);
    assert.equal(new Sizing(8, 200, { ...CALM, availableMib: 10 }).size, 1, 'never below 1');
    assert.equal(new Sizing(8, 200, { ...CALM, availableMib: undefined }).size, 8);
  });

  test('falls at once, rises by one a look after three calm ones', () => {
    const sizing = new Sizing(6, 200, CALM);
    assert.equal(sizing.size, 6);
    const short = { ...CALM, availableMib: 210, running: 4 };
    assert.equal(sizing.look(short), 4, 'what runs may run on');
    assert.match(
      sizing.why,
      /^210 MiB are available, 200 are to stay free, one more is taken to cost 72 MiB/,
    );
    assert.equal(sizing.look({ ...short, running: 2 }), 2);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7].map(() => sizing.look({ ...CALM, running: 2 })),
      [2, 2, 3, 4, 5, 6, 6],
    );
    sizing.look({ ...short, running: 3 });
    sizing.look(CALM);
    sizing.look(CALM);
    sizing.look({ ...short, running: 3 });
    assert.deepEqual(
      [sizing.look(CALM), sizing.look(CALM), sizing.look(CALM)],
      [3, 3, 4],
      'calm looks are counted anew',
    );
  });

  test('under pressure one less than what runs; no more are let in until it has halved', () => {
    const sizing = new Sizing(8, 200, CALM);
    assert.equal(sizing.look({ ...CALM, pressure: 11, running: 8 }), 7);
    assert.equal(sizing.look({ ...CALM, pressure: 11, running: 7 }), 6);
    for (let n = 0; n < 10; n++) assert.equal(sizing.look({ ...CALM, pressure: 6, running: 6 }), 6);
    assert.match(sizing.why, /^everything waits for memory 6 % of the time/);
    sizing.look({ ...CALM, pressure: 4, running: 6 });
    sizing.look({ ...CALM, pressure: 4, running: 6 });
    assert.equal(sizing.look({ ...CALM, pressure: 4, running: 6 }), 7);
  });

  test('the most is by processors, and what stays free is by the memory of the machine', () => {
    assert.deepEqual([mostAtOnce(1), mostAtOnce(2), mostAtOnce(128)], [4, 8, 64]);
    assert.deepEqual([reserveMib(128, 1000), reserveMib(0, 64_000)], [228, 1024]);
  });
});

describe('what memory is there', () => {
  test("a process's own, and of those below it, is told of whoever's process it is", async () => {
    const holding =
      'const held = Buffer.alloc(64 << 20, 1); console.log(held.length); setTimeout(() => {}, 60_000)';
    const child = spawn('/bin/sh', ['-c', `${process.execPath} -e "${holding}"; true`], {
      stdio: 'pipe',
      detached: true,
    });
    try {
      await new Promise(resolve => child.stdout.once('data', resolve));
      const mib = ownMib(child.pid ?? 0);
      assert.ok(mib > 64 && mib < 300, `${mib} MiB`);
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await new Promise(resolve => child.once('exit', resolve));
    }
    assert.equal(ownMib(child.pid ?? 0), 0);
  });

  test("a control group's limit, or that of one around it, where there is one", () => {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-group-'));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    const memory = () => groupMemory(join(folder, 'proc'), join(folder, 'cgroup'));
    const left = (): number | undefined => memory()?.leftMib;
    assert.equal(left(), undefined);
    write('proc/self/cgroup', '0::/system.slice/agent.service\n');
    write('cgroup/system.slice/agent.service/memory.max', 'max\n');
    write('cgroup/system.slice/agent.service/memory.current', '1048576\n');
    assert.equal(left(), undefined);
    write('cgroup/system.slice/memory.max', `${500 << 20}\n`);
    write('cgroup/system.slice/memory.current', `${300 << 20}\n`);
    assert.deepEqual(memory(), { limitMib: 500, leftMib: 200 });
    write('cgroup/system.slice/memory.stat', `anon 1\ninactive_file ${100 << 20}\n`);
    assert.equal(left(), 300);
    write('proc/self/cgroup', '9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n');
    write('cgroup/memory/memory.limit_in_bytes', `${64 << 20}\n`);
    write('cgroup/memory/memory.usage_in_bytes', `${32 << 20}\n`);
    assert.equal(memory()?.limitMib, 64, 'the narrowest');
    assert.equal(left(), 32, 'in a container the files stand at the top');
    write('cgroup/memory/memory.limit_in_bytes', '9223372036854771712\n');
    assert.equal(left(), undefined);
    rmSync(folder, { recursive: true });
  });

  test('a server on a machine that runs short lets in one at a time, says why, and more again afterwards', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-memory-'));
    const meminfo = join(folder, 'meminfo');
    const short = 'MemTotal: 24000000 kB\nMemAvailable: 614400 kB\n';
    const plenty = 'MemTotal: 24000000 kB\nMemAvailable: 22000000 kB\n';
    writeFileSync(meminfo, short);
    // The server sees a memory of ours, in a mount namespace of its own.
    const wrapper = join(folder, 'node');
    writeFileSync(
      wrapper,
      `#!/bin/sh\nexec unshare -m --propagation private sh -c 'mount --bind ${meminfo} /proc/meminfo && exec "$@"' sh ${process.execPath} "$@"\n`,
      { mode: 0o755 },
    );
    const server = await ServerUnderTest.start(['--host-guard', 'available:400'], {
      node: wrapper,
      main: MAIN,
    });
    try {
      const size = async () => (await server.call('bpf_info')).structured?.sizing as Record<string, unknown>;
      const most = mostAtOnce();
      const { mode, now, most: told, why } = await size();
      assert.deepEqual([mode, now, told], ['auto', 1, most]);
      const reserve = reserveMib(400, totalmem() / 2 ** 20);
      assert.match(String(why), new RegExp(`^600 MiB are available, ${reserve} are to stay free, one more`));
      const program = 'interval:ms:100 { @ = count(); }';
      const [first, second] = [1, 2].map(() => server.result('exec_program', { program, timeout: 60 }));
      assert.equal((await first)?.status, 'running');
      const { status, execution_id } = (await second) ?? {};
      assert.equal(status, 'queued');
      writeFileSync(meminfo, plenty);
      await until('there is room for another', 60_000, async () => {
        return (await server.result('get_result', { execution_id, wait: 1 })).status === 'running';
      });
      assert.match((await server.call('bpf_info')).text, /\b[2-9]\d* at once \((of \d+: )?/);
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
