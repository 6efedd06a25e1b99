import { BPFTRACE_PATH } from '../../support/helper-install.js';
import { ARGUMENTS_REFUSED, type Attack, NOT_A_REQUEST, ONLY_TRACED, request } from './attack.js';

const JSON_ARGS = ['-f', 'json'];
const OTHER_PATH = /this helper runs .* only|not a request/;
const REFUSED = /bpftrace-mcp-supervisor: /;

/** Against the request: another program to run, other arguments, other settings, malformed ones. */
export const REQUESTS: readonly Attack[] = [
  ...[
    '/bin/sh',
    '/usr/bin/perl',
    `${BPFTRACE_PATH}/`,
    `/usr/bin/..${BPFTRACE_PATH}`,
    `${BPFTRACE_PATH} `,
    `/proc/self/exe`,
    `//${BPFTRACE_PATH}`,
    'bpftrace',
  ].map(path => ({ name: `path ${path}`, input: request({ path }), outcome: OTHER_PATH })),
  ...[
    [...JSON_ARGS, '--unsafe', '-'],
    ['--unsafe', ...JSON_ARGS, '-'],
    [...JSON_ARGS, '-', '--unsafe'],
    [...JSON_ARGS, '-c', 'id', '-'],
    [...JSON_ARGS, '-o', '/root/owned', '-'],
    [...JSON_ARGS, '-e', 'BEGIN { system("id"); }'],
    [...JSON_ARGS, '-I', '/root', '-'],
    [...JSON_ARGS, '--include', '/etc/shadow', '-'],
    [...JSON_ARGS, '-p', '1', '-'],
    [...JSON_ARGS, '--emit-elf', '/root/owned', '-'],
    [...JSON_ARGS, '--emit-llvm', '/root/owned', '-'],
    [...JSON_ARGS, '--aot', '/root/owned', '-'],
    [...JSON_ARGS, '--btf', '/etc/shadow', '-'],
    [...JSON_ARGS, '--usdt-file-activation', '-'],
    [...JSON_ARGS, '/etc/shadow'],
    [...JSON_ARGS, '/dev/stdin'],
    ['-f', 'text', '-'],
    ['-f json -'],
    ['-f', 'json -'],
    ['-'],
    [],
    ['', ''],
    ['-d', 'all', '-'],
    ['-v', ...JSON_ARGS, '-'],
    ['-l', '/etc/shadow'],
    ['-lv', '/etc/shadow'],
    ['-l', '--unsafe'],
    ['-l', '-e', 'BEGIN { exit(); }'],
    ['-l', 'kprobe:x --unsafe'],
    ['-lv', 'struct x; id'],
    ['-l', 'uprobe:$(id):x'],
    ['-l', 'uprobe:`id`:x'],
    ['--info', '--unsafe'],
    ['--version', '-o', '/root/owned'],
    ['-l', '\x01'],
  ].map(args => ({
    name: `arguments ${JSON.stringify(args)}`,
    input: request({ args }),
    outcome: ARGUMENTS_REFUSED,
  })),
  ...[
    'LD_PRELOAD=/tmp/x.so',
    'PATH=/tmp',
    'BPFTRACE_VMLINUX=/etc/shadow',
    'BPFTRACE_BTF=/etc/shadow',
    'BPFTRACE_KERNEL_SOURCE=/root',
    'BPFTRACE_MAX_MAP_KEYS=999999999',
    'BPFTRACE_MAX_MAP_KEYS=-1',
    'BPFTRACE_MAX_MAP_KEYS=0x7fffffff',
    'BPFTRACE_MAX_MAP_KEYS=1e9',
    'BPFTRACE_MAX_MAP_KEYS=',
    'BPFTRACE_PERF_RB_PAGES=1000000',
    'BPFTRACE_LOG_SIZE=99999999999',
    'BPFTRACE_STACK_MODE=perf',
    'bpftrace_strlen=1',
    'BPFTRACE_=1',
  ].map(setting => ({ name: `setting ${setting}`, input: request({ env: [setting] }), outcome: REFUSED })),
  ...['0', '-1', '1.5', 'inf', '99999999999', '', '5000 '].map(lifetime => ({
    name: `lifetime ${JSON.stringify(lifetime)}`,
    input: request({ lifetime }),
    outcome: NOT_A_REQUEST,
  })),
  ...['x', '', '0123456789ABCDEF0123456789ABCDEF', 'g'.repeat(32), '0'.repeat(33)].map(nonce => ({
    name: `nonce ${JSON.stringify(nonce)}`,
    input: request({ nonce }),
    outcome: NOT_A_REQUEST,
  })),
  { name: 'nothing', input: '', closes: true, outcome: /no request came/ },
  { name: 'a line end', input: '\n', outcome: NOT_A_REQUEST },
  {
    name: 'another magic',
    input: request().replace('bpftrace-mcp 1', 'bpftrace-mcp 2'),
    outcome: NOT_A_REQUEST,
  },
  { name: 'a blank before the magic', input: ` ${request()}`, outcome: NOT_A_REQUEST },
  { name: 'carriage returns', input: request().replaceAll('\n', '\r\n'), outcome: NOT_A_REQUEST },
  { name: 'a NUL in the path', input: request({ path: `${BPFTRACE_PATH}\0x` }), outcome: REFUSED },
  { name: 'a NUL in an argument', input: request({ args: ['-f', 'json\0--unsafe', '-'] }), outcome: REFUSED },
  { name: 'an unknown word', input: request().replace('path', 'exec'), outcome: NOT_A_REQUEST },
  { name: 'no path', input: request().replace(/path .*\n/, ''), outcome: /not whole/ },
  { name: 'no nonce', input: request().replace(/nonce .*\n/, ''), outcome: /not whole/ },
  { name: 'a second path', input: request().replace('arg -f', 'path /bin/sh\narg -f'), outcome: OTHER_PATH },
  {
    name: 'the right path last',
    input: request().replace('path', 'path /bin/sh\npath'),
    outcome: ONLY_TRACED,
  },
  {
    name: 'a program longer than it says, which is then a command',
    input: request({ program: 'BEGIN { printf("traced\\n"); }\n', after: 'exec id\n' }),
    outcome: /end \d+ 9/,
  },
  {
    name: 'a program shorter than it says',
    input: request({ bytes: 100_000 }),
    closes: true,
    outcome: /no program came/,
  },
  {
    name: 'a program that is too long',
    input: request({ bytes: 999_999_999 }),
    outcome: /program is too long/,
  },
  {
    name: 'a negative length',
    input: request().replace(/program \d+/, 'program -5'),
    outcome: NOT_A_REQUEST,
  },
  { name: 'a line of a megabyte', input: 'x'.repeat(1_000_000), outcome: /a line is too long|not a request/ },
  {
    name: 'a hundred thousand arguments',
    input: request({ args: Array(100_000).fill('-f') }),
    outcome: /request is too long/,
  },
  {
    name: 'random bytes',
    input: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
    outcome: REFUSED,
  },
  { name: 'a byte order mark', input: `\uFEFF${request()}`, outcome: NOT_A_REQUEST },
  {
    name: 'digits of another script',
    input: request().replace(/program \d+/, 'program ٣٢'),
    outcome: NOT_A_REQUEST,
  },
];

const RUNS_ON = 'BEGIN { printf("traced\\n"); } interval:s:1 { @ = count(); }';

/** Against a bpftrace that stands by for its program. */
export const STANDBYS: readonly Attack[] = [
  { name: 'it waits, and gets its program', input: request({ standby: '5000' }), outcome: ONLY_TRACED },
  ...['0', '-1', '1e3', '99999999', ' 5', ''].map(standby => ({
    name: `a wait of ${JSON.stringify(standby)}`,
    input: request({ standby }),
    outcome: NOT_A_REQUEST,
  })),
  { name: 'another path', input: request({ standby: '5000', path: '/bin/sh' }), outcome: OTHER_PATH },
  {
    name: 'other arguments',
    input: request({ standby: '5000', args: ['--unsafe', '-f', 'json', '-'] }),
    outcome: ARGUMENTS_REFUSED,
  },
  { name: 'no program', input: request({ standby: '300', program: '' }), outcome: /end \d+ 9/ },
  {
    name: 'a program shorter than it says, for ever',
    input: request({ standby: '1000', bytes: 100_000 }),
    outcome: /end \d+ 9/,
  },
  {
    name: 'a program that is too long',
    input: request({ standby: '5000', bytes: 999_999_999 }),
    outcome: /end \d+ 9/,
  },
  {
    name: 'a second program',
    input: request({ standby: '5000', program: RUNS_ON, after: 'program 4\nexit' }),
    outcome: /end \d+ 9/,
  },
  {
    name: 'the end of its life counts from its program, and comes',
    input: request({ standby: '60000', lifetime: '500', program: RUNS_ON }),
    outcome: /end \d+ 9/,
  },
];

const ENDED_BY_IT = /end \d+ 9/;

/** Against the commands that may follow: whoever says anything else is not the owner, and bpftrace is killed. */
export const COMMANDS: readonly Attack[] = [
  'signal HUP',
  'signal STOP',
  'signal 9',
  'signal KILL 1',
  'signal -1',
  'signal INT; id',
  'leaf KILL',
  'leaf 1',
  'kill 1',
  'watch 999999',
  'watch -1',
  'watch',
  '',
  'x'.repeat(5000),
  request(),
].map(command => ({
  name: `command ${JSON.stringify(command.slice(0, 40))}`,
  input: request({ program: RUNS_ON, after: `${command}\n` }),
  outcome: ENDED_BY_IT,
}));
