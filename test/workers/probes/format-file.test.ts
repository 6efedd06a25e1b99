import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { kernelBtf } from '../../../workers/probes/btf.js';
import { constantOf } from '../../../workers/probes/constant.js';
import { readFormat } from '../../../workers/probes/format-file.js';
import { BPFTRACE } from '../../support/server.js';

const EVENTS = '/sys/kernel/tracing/events';
const enumerator = (name: string): bigint | undefined => (name === 'TCP_LISTEN' ? 10n : undefined);

/** Lines as the kernel has them. */
const FORMAT = `name: made_up
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char comm[16];	offset:8;	size:16;	signed:0;
	field:long prev_state;	offset:24;	size:8;	signed:1;
	field:u64 root;	offset:32;	size:8;	signed:0;
	field:int state;	offset:40;	size:4;	signed:1;
	field:unsigned long flags;	offset:48;	size:8;	signed:0;
	field:__data_loc char[] name;	offset:56;	size:4;	signed:0;
	field:u32 part;	offset:60;	size:4;	signed:0;

print fmt: "%s, (%s) %s", REC->comm, (REC->prev_state & ((((0x0 | 0x1) + 1) << 2) - 1)) ? __print_flags(REC->prev_state & ((((0x0 | 0x1) + 1) << 2) - 1), "|", { 0x00000001, "S" }, { 0x02, "D" }, { 0x80, "I" }) : "R", __print_symbolic((unsigned long long)REC->root, { 1ULL, "ROOT_TREE" }, { -6ULL, "TREE, \\"LOG)" }), __print_symbolic(REC->state, { TCP_LISTEN, "LISTEN" }, { NO_SUCH, "NONE" }), __print_flags(REC->flags, "|", {( unsigned long)(( gfp_t)((((1UL))) << (10))), "DIRECT"}, { (1u << 31), "HIGH" }), __print_symbolic(REC->part & 0xf, { 1, "WRONG" })
`;

describe('format files of tracepoints', () => {
  test('fields, and what their numbers mean', () => {
    assert.deepEqual(readFormat(FORMAT, enumerator), [
      { name: 'comm', type: 'char[16]' },
      { name: 'prev_state', type: 'long', values: { '1': 'S', '2': 'D' }, flags: true },
      { name: 'root', type: 'u64', values: { '1': 'ROOT_TREE', '18446744073709551610': 'TREE, \\"LOG)' } },
      { name: 'state', type: 'int', values: { '10': 'LISTEN' } },
      {
        name: 'flags',
        type: 'unsigned long',
        values: { '1024': 'DIRECT', '2147483648': 'HIGH' },
        flags: true,
      },
      { name: 'name', type: '__data_loc char[]' },
      { name: 'part', type: 'u32' },
    ]);
  });

  test('constants', () => {
    for (const [text, value] of [
      ['0x10', 16n],
      ['(1UL << 3) | 1', 9n],
      ['~(( gfp_t)0) & 0xff', 255n],
      ['( int) (( __kernel_rwf_t)4)', 4n],
      ['2 + 3 * 4', 14n],
      ['-1', -1n],
      ['TCP_LISTEN', 10n],
      ['NO_SUCH', undefined],
      ['1 <<', undefined],
      ['(1', undefined],
      ['sizeof(int)', undefined],
      ['', undefined],
    ] as const)
      assert.equal(constantOf(text, enumerator), value, text);
  });

  test('every tracepoint of this kernel: the same fields as bpftrace tells', t => {
    if (!existsSync(EVENTS)) return t.skip(`no ${EVENTS}`);
    const listed = execFileSync(BPFTRACE, ['-lv', 'tracepoint:*:*'], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let compared = 0;
    let explained = 0;
    for (const part of listed.split(/^(?=tracepoint:)/m)) {
      const [head = '', ...lines] = part.trimEnd().split('\n');
      const [, group = '', event = ''] = head.split(':');
      if (!existsSync(`${EVENTS}/${group}/${event}/format`)) continue;
      const text = readFileSync(`${EVENTS}/${group}/${event}/format`, 'latin1');
      const fields = readFormat(text, name => kernelBtf()?.enumerator(name));
      const declared = fields.map(({ name, type }) => {
        const [, base = type, array = ''] = /^(.*?)((?:\[[^\]]*\])*)$/.exec(type) ?? [];
        return /^__(data|rel)_loc/.test(type) ? `${type} ${name}` : `${base} ${name}${array}`;
      });
      assert.deepEqual(
        declared,
        lines.map(line => line.trim()),
        head,
      );
      compared++;
      explained += fields.filter(field => field.values).length;
    }
    assert.ok(compared > 500, `${compared} compared`);
    assert.ok(explained > 100, `${explained} explained`);
    t.diagnostic(
      `${compared} tracepoints of ${readdirSync(EVENTS).length} groups, ${explained} fields explained`,
    );
  });
});
