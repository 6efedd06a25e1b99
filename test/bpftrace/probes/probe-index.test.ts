import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ProbeIndex } from '../../../src/bpftrace/probes/index.js';
import { Refusal } from '../../../src/contract/errors.js';
import { ProbePool } from '../../../src/pool/probe-pool.js';
import { folder, shell } from '../../support/fake-bpftrace.js';

const pool = new ProbePool({ recording: '' });
after(() => pool.close());

let hosts = 0;

/** A bpftrace that lists what stands in a file, and notes with what it was called. */
class Host {
  private readonly base = join(folder, `host-${++hosts}`);
  private readonly path = shell(
    `printf '%s\\037' "$#" "$@" >> ${this.base}.calls; printf '\\n' >> ${this.base}.calls`,
    `while [ -e ${this.base}.wait ]; do sleep 0.02; done`,
    `cat ${this.base}.list`,
    `[ ! -e ${this.base}.kill ] || kill -KILL $$`,
  );
  private version = 1;

  constructor(probes: readonly string[]) {
    this.list(probes);
  }

  /** As if another bpftrace, or another kernel module, were there. */
  list(probes: readonly string[]): void {
    writeFileSync(`${this.base}.list`, `${probes.join('\n')}\n`);
    this.version++;
  }

  /** It answers when the file is gone. */
  get gate(): string {
    return `${this.base}.wait`;
  }

  /** It is killed behind its list when the file is there. */
  get killer(): string {
    return `${this.base}.kill`;
  }

  /** The arguments of each call. */
  get calls(): string[][] {
    if (!existsSync(`${this.base}.calls`)) return [];
    return readFileSync(`${this.base}.calls`, 'utf8')
      .split('\x1f\n')
      .filter(line => line !== '')
      .map(line => {
        const [count, ...args] = line.split('\x1f');
        assert.equal(args.length, Number(count), line);
        return args;
      });
  }

  index(patienceMs?: number): ProbeIndex {
    const host = {
      requireBinary: () => {},
      identity: () => `${this.base} ${this.version}`,
      plan: (args: readonly string[]) => ({
        command: this.path,
        args: [...args],
        env: { PATH: process.env.PATH ?? '' },
      }),
    };
    return new ProbeIndex(pool, host, patienceMs);
  }
}

const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof Refusal && error.code === code && message.test(error.message);
const names = (page: { probes: { name: string }[] }): string[] => page.probes.map(({ name }) => name);
const LIST = ['a', 'b', 'c', 'd', 'e'].map(letter => `tracepoint:group:open_${letter}`);

describe('the list of probes', () => {
  test('is made once, for questions at the same time too, sorted, each probe once', async () => {
    const host = new Host([...LIST, ...LIST].reverse());
    const index = host.index();
    const pages = await Promise.all([
      index.find({}),
      index.find({ filter: 'open' }),
      index.find({ filter: '*' }),
    ]);
    for (const page of pages) {
      assert.deepEqual(names(page), LIST);
      assert.deepEqual([page.count, page.total, page.totals], [5, 5, { tracepoint: 5 }]);
    }
    assert.deepEqual(pages[0]?.groups, { group: 5 });
    assert.equal(pages[1]?.groups, undefined);
    await index.find({ filter: 'group:*' });
    assert.deepEqual(host.calls, [['-l']]);
  });

  test('is made anew when something has changed, and only then', async () => {
    const host = new Host(LIST);
    const index = host.index();
    assert.equal((await index.find({})).total, 5);
    host.list([...LIST, 'kprobe:later']);
    assert.equal((await index.find({})).total, 6);
    assert.equal((await index.find({ filter: 'later' })).total, 1);
    assert.equal(host.calls.length, 2);
  });

  test('that is not made in time is refused as busy, goes on being made, and is there later', async () => {
    const host = new Host(LIST);
    writeFileSync(host.gate, '');
    const index = host.index(50);
    await assert.rejects(index.find({}), refused('busy', /still listing/));
    const patient = host.index().find({});
    rmSync(host.gate);
    assert.equal((await patient).total, 5);
    assert.equal(host.calls.length, 1);
  });

  test('that bpftrace can not make is refused with its reason, and tried again', async () => {
    const host = new Host([]);
    await assert.rejects(host.index().find({}), refused('internal', /lists no probes: exit status 0/));
    host.list(LIST);
    assert.equal((await host.index().find({})).total, 5);
  });

  test('that was cut off is not taken for a short one', async () => {
    const host = new Host(LIST);
    writeFileSync(host.killer, '');
    await assert.rejects(host.index().find({}), refused('internal', /lists no probes: .*ended by SIGKILL/));
    rmSync(host.killer);
    assert.equal((await host.index().find({})).total, 5);
  });

  test('a server without privilege says so', async () => {
    const plan = () => {
      throw new Refusal('no_privilege', 'bpftrace needs root', 'start it as root');
    };
    const index = new ProbeIndex(pool, { identity: () => 'none', plan, requireBinary: () => {} });
    for (const filter of [undefined, 'open', 'uprobe:/bin/sh:*', 'struct path'])
      await assert.rejects(index.find({ filter }), refused('no_privilege', /root/));
    assert.deepEqual(await index.nearest('kprobe:x', 3), []);
  });
});

describe('cursors', () => {
  test('page through a pattern and through words, each probe once', async () => {
    const index = new Host(LIST).index();
    for (const filter of [undefined, 'tracepoint:*', 'open']) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await index.find({ filter, limit: 2, cursor });
        seen.push(...names(page));
        cursor = page.next_cursor;
      } while (cursor);
      assert.deepEqual(seen, LIST, filter);
    }
  });

  test('belong to their filter; what is none is refused', async () => {
    const index = new Host(LIST).index();
    const { next_cursor: cursor = '' } = await index.find({ filter: 'open', limit: 2 });
    await assert.rejects(
      index.find({ filter: 'group', cursor }),
      refused('invalid_argument', /another filter/),
    );
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const bad of [
      '',
      'x',
      '\0',
      '[]',
      forged([]),
      forged(['a', 1e300, 1, 'b']),
      forged(null),
      forged({}),
      forged(['a', -1, 1, 'b']),
    ])
      await assert.rejects(
        index.find({ filter: 'open', cursor: bad }),
        refused('invalid_argument', /cursor/),
        bad,
      );
  });

  test('of a pattern go on behind the last name when the list has changed', async () => {
    const host = new Host(LIST);
    const index = host.index();
    const { next_cursor: cursor } = await index.find({ filter: '*', limit: 2 });
    host.list([
      ...LIST.filter(name => !name.endsWith('_b')),
      'tracepoint:group:open_bb',
      'tracepoint:group:open_aa',
    ]);
    const page = await index.find({ filter: '*', cursor });
    assert.deepEqual(names(page), ['tracepoint:group:open_bb', ...LIST.slice(2)]);
  });

  test('of words go on behind the last probe in its new place, and say so when it is gone', async () => {
    const host = new Host(LIST);
    const index = host.index();
    const { next_cursor: cursor } = await index.find({ filter: 'open', limit: 2 });
    host.list(['tracepoint:group:open', ...LIST]);
    assert.deepEqual(names(await index.find({ filter: 'open', cursor })), LIST.slice(2));
    host.list(LIST.filter(name => !name.endsWith('_b')));
    await assert.rejects(index.find({ filter: 'open', cursor }), refused('invalid_argument', /has changed/));
  });
});

describe('probes of a binary', () => {
  const binary = join(folder, 'binary');
  const LISTED = ['read', 'write', 'reread'].map(name => `uprobe:${binary}:${name}`);

  test('are listed once for a file, its patterns and its return probes; anew when it is another', async () => {
    copyFileSync(process.execPath, binary);
    const host = new Host(LISTED);
    const index = host.index();
    const find = async (filter: string) => names(await index.find({ filter }));
    assert.deepEqual(await find(`uprobe:${binary}:*read*`), [LISTED[0], LISTED[2]].sort());
    assert.deepEqual(await find(`u:${binary}:write`), [LISTED[1]]);
    assert.deepEqual(await find(`uretprobe:${binary}:read`), [`uretprobe:${binary}:read`]);
    assert.equal((await find(`uprobe:${binary}`)).length, 3);
    assert.deepEqual(host.calls, [['-l', `uprobe:${binary}:*`]]);
    utimesSync(binary, 1, 1);
    await find(`uprobe:${binary}:*`);
    appendFileSync(binary, 'x');
    await find(`uprobe:${binary}:*`);
    assert.equal(host.calls.length, 3);
    await find(`usdt:${binary}:*`);
    assert.deepEqual(host.calls[3], ['-l', `usdt:${binary}:*`]);
  });

  test('a path that is no regular file, or that bpftrace would read as something else, is refused', async () => {
    const host = new Host([]);
    const index = host.index();
    for (const filter of [
      'uprobe:/dev/zero:*',
      'usdt:/proc:*',
      'uprobe:/bin/*:f',
      'uprobe:*:malloc',
      'uprobe:/a b:f',
      'uprobe:/x,tracepoint:*',
      'u:/x{}:f',
      'uprobe:"/bin/sh":f',
    ])
      await assert.rejects(
        index.find({ filter }),
        refused('invalid_argument', /regular file|character|is a pattern/),
        filter,
      );
    assert.deepEqual(host.calls, []);
    await assert.rejects(
      index.find({ filter: 'uprobe:/no/such/file:*' }),
      refused('invalid_argument', /no file/),
    );
  });
});

describe('what a caller writes never becomes an option', () => {
  const HOSTILE = [
    ...['-l', '--info', '-c id', '-e BEGIN{}', '--unsafe', '-', '--', '-o/tmp/x', '--include=/etc/shadow'],
    ...[
      '/etc/shadow',
      '/etc/passwd:*',
      './x',
      '$(id)',
      '`id`',
      '; id',
      '| id',
      '&& id',
      '%s%n',
      '*'.repeat(1000),
    ],
    ...[
      'uprobe:-l:*',
      'uprobe:--unsafe:*',
      'u:-:x',
      'usdt:-p1:*',
      'uretprobe:/bin/sh:--unsafe',
      'k:-l',
      '*:-l',
      ':',
      '::',
      ':-l',
    ],
    ...[
      'struct -l',
      'struct --info',
      'struct task_struct -l',
      'struct a;id',
      'struct a,b',
      'enum *',
      'union a b c',
    ],
    ...[
      'BEGIN { system("id") }',
      'tracepoint:a:b { }',
      '#include </etc/shadow>',
      'import "x"',
      '\u202e\ud800',
      '((((',
      '[a',
      '\\',
    ],
  ];

  test('each call of bpftrace is one of ours', async () => {
    const host = new Host(LIST);
    const index = host.index();
    for (const filter of HOSTILE) {
      for (const details of [false, true]) {
        await index.find({ filter, details }).catch(error => assert.ok(error instanceof Refusal, filter));
      }
      await index.nearest(filter, 3);
      await index.expand(filter, 3).catch(error => assert.ok(error instanceof Refusal, filter));
    }
    for (const nul of ['a\0b', 'a\nb', '-l\rx'])
      await assert.rejects(index.find({ filter: nul }), refused('invalid_argument', /line break or a NUL/));
    assert.ok(host.calls.length > 3);
    for (const args of host.calls) {
      const [option, what = ''] = args;
      assert.ok(args.length <= 2 && (option === '-l' || option === '-lv'), args.join(' '));
      assert.match(what, /^$|^(?:uprobe|usdt):[^\s,{}"'`:]+:\*$|^(?:struct|union|enum) [\w*]+$|^tracepoint:/);
    }
  });
});

describe('details', () => {
  test('of a kernel function are those of BTF, by the names that a program uses', async t => {
    const index = new Host(['kprobe:vfs_read', 'kprobe:nf:vfs_read', 'kprobe:no_such_function']).index();
    const { probes } = await index.find({ filter: 'kprobe:*', details: true });
    if (probes.every(({ fields }) => fields?.length === 0)) return t.skip('this kernel has no BTF');
    const fields = (name: string) => probes.find(probe => probe.name === name)?.fields;
    assert.deepEqual(fields('kprobe:vfs_read')?.[0], { name: 'file', type: 'struct file *', access: 'arg0' });
    assert.deepEqual(fields('kprobe:vfs_read')?.[2], { name: 'count', type: 'size_t', access: 'arg2' });
    // A module's function of the same name may take something else.
    assert.deepEqual(fields('kprobe:nf:vfs_read'), []);
    assert.deepEqual(fields('kprobe:no_such_function'), []);
    const returned = await index.find({ filter: 'kretprobe:vfs_read', details: true });
    assert.deepEqual(returned.probes.at(-1), {
      name: 'kretprobe:vfs_read',
      fields: [{ name: 'retval', type: 'ssize_t' }],
    });
  });
});

describe('for other parts of the server', () => {
  test('expand: what an attach point stands for; nearest: what was meant', async () => {
    const index = new Host([...LIST, 'kprobe:tcp_sendmsg', 'kprobe:tcp_recvmsg']).index();
    assert.deepEqual(await index.expand('kprobe:tcp_*', 1), { names: ['kprobe:tcp_recvmsg'], total: 2 });
    assert.equal(await index.countMatching('kretprobe:tcp_*'), 2);
    assert.equal(await index.countMatching('t:group:open_*'), 5);
    assert.equal(await index.countMatching('open'), 0);
    assert.deepEqual(await index.nearest('kprobe:tcp_sndmsg', 1), ['kprobe:tcp_sendmsg']);
  });
});
