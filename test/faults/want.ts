import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupRoot, newGroup } from '../support/control-group.js';
import { TICKS } from '../support/ending-server.js';
import { folder, sayLine, shell } from '../support/fake-bpftrace.js';
import { untilEnded } from '../support/run-to-end.js';
import { BPFTRACE, type ServerUnderTest } from '../support/server.js';
import type { Fault } from './fault.js';

const SHORT = { program: 'BEGIN { exit(); }', wait: 30 };

const before = join(folder, 'before-bpftrace');
/** The real bpftrace, and before it what stands in a file while there is one. */
const prepared = shell(`[ -e ${before} ] && . ${before}`, `exec ${BPFTRACE} "$@"`);

async function runUnder(server: ServerUnderTest, lines: string) {
  writeFileSync(before, `${lines}\n`);
  try {
    return await untilEnded(server, await server.result('exec_program', SHORT));
  } finally {
    rmSync(before);
  }
}

const WITHOUT_GROUPS = 'no control groups of that kind can be made here';
const MEMORY_BYTES = 16 * 2 ** 20;

const withoutGroups = (controller: 'pids' | 'memory') =>
  groupRoot(controller) === undefined && { skip: WITHOUT_GROUPS };

/** No process or thread more than there are can be started for the server, until that is called off. */
function exhaustProcesses(server: ServerUnderTest): () => void {
  const group = newGroup('pids');
  group.add(server.pid);
  group.write('pids.max', group.read('pids.current'));
  return () => group.write('pids.max', 'max');
}

/** The system has nothing left to give the server: no process, no thread, no memory. */
export const SERVER_WANTS: readonly Fault[] = [
  {
    fault: 'no process can be started (EAGAIN, the limit of a control group)',
    seen: '`start_failed`, and what to do',
    ...withoutGroups('pids'),
    async happen(server) {
      const release = exhaustProcesses(server);
      const { status, reason, error_message } = await server.result('exec_program', SHORT);
      assert.deepEqual([status, reason], ['failed', 'start_failed']);
      assert.match(
        error_message ?? '',
        /^bpftrace could not be started: spawn \S+ EAGAIN; lower --concurrency, or/,
      );
      release();
    },
  },
  {
    fault: 'no worker thread can be started (EAGAIN) beside one that runs a program',
    seen: '`start_failed`, and what to do; the program that runs goes on, and the one that failed is not run later',
    flags: ['--concurrency', '2'],
    ...withoutGroups('pids'),
    async happen(server, { say }) {
      const runs = await server.result('exec_program', { program: TICKS, timeout: 60 });
      const release = exhaustProcesses(server);
      const failed = await server.result('exec_program', SHORT);
      assert.deepEqual([failed.status, failed.reason], ['failed', 'start_failed']);
      assert.match(
        failed.error_message ?? '',
        /^no worker thread could be started: EAGAIN; lower --concurrency, or/,
      );
      const asked = await server.call('list_probes', { filter: 'tracepoint:sched:*' });
      say(`list_probes meanwhile: ${asked.text.split('\n')[0]}`);
      assert.match(asked.text, /no worker thread could be started: EAGAIN; lower --concurrency/);
      release();
      const { status, maps } = await server.result('stop_program', { execution_id: runs.execution_id });
      assert.deepEqual([status, maps.length], ['stopped', 1]);
    },
  },
  {
    fault: 'the server gets no memory for the lines of one more program (RLIMIT_AS)',
    seen: '`start_failed`, and what to do; the program that runs goes on',
    flags: ['--concurrency', '2', '--max-output-bytes', String(2 ** 30)],
    async happen(server) {
      const runs = await server.result('exec_program', { program: TICKS, timeout: 60 });
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      const used = Number(/^VmSize:\s+(\d+)/m.exec(status)?.[1]) * 1024;
      const limit = (bytes: number | string): void => {
        execFileSync('prlimit', ['--pid', String(server.pid), `--as=${bytes}:`]);
      };
      limit(used + 2 ** 28);
      const failed = await server.result('exec_program', SHORT);
      assert.deepEqual([failed.status, failed.reason], ['failed', 'start_failed']);
      assert.match(
        failed.error_message ?? '',
        /^there is no memory for its lines and maps .*--max-output-bytes/,
      );
      limit('unlimited');
      const ended = await server.result('stop_program', { execution_id: runs.execution_id });
      assert.deepEqual([ended.status, ended.maps.length], ['stopped', 1]);
    },
  },
  {
    fault: 'bpftrace prints garbage and a line of 100 MB',
    seen: 'the rest is there; what was cut is counted',
    flags: ['--bpftrace', prepared],
    async happen(server) {
      const garbage = 'printf \'no record\\n\\0\\377\\n{"type": "map"\\n\'';
      const long = "head -c 100000000 /dev/zero | tr '\\0' x; echo";
      const lines = [sayLine('first'), garbage, long, sayLine('last'), 'exit 0'];
      const { status, output, lines_total, losses } = await runUnder(server, lines.join('\n'));
      assert.equal(status, 'completed');
      assert.deepEqual(output.slice(0, 4), ['first', 'no record', '\\u0000\\xff', '{"type": "map"']);
      assert.deepEqual([lines_total, losses?.bytes_dropped], [6, 100_000_000 - 65_536]);
    },
  },
];

/** Nor bpftrace. */
export const BPFTRACE_WANTS: readonly Fault[] = [
  {
    fault: 'bpftrace gets no memory while it is loaded (RLIMIT_AS)',
    seen: '`start_failed`, in the words of the loader',
    flags: ['--bpftrace', prepared],
    async happen(server, { say }) {
      const { status, reason, error_message } = await runUnder(server, 'ulimit -v 60000');
      say(`${error_message}`);
      assert.deepEqual([status, reason], ['failed', 'start_failed']);
      assert.match(
        error_message ?? '',
        /^bpftrace could not be started: .*shared libraries.*; lower --concurrency: a running bpftrace/,
      );
    },
  },
  {
    fault: 'the kernel kills bpftrace for want of memory (the limit of a control group)',
    seen: '`failed`, `died`: ended by SIGKILL, not by this server',
    flags: ['--bpftrace', prepared],
    ...withoutGroups('memory'),
    async happen(server) {
      const group = newGroup('memory');
      const [limit = ''] = ['memory.limit_in_bytes', 'memory.max'].filter(file => group.has(file));
      group.write(limit, String(MEMORY_BYTES));
      const { status, reason, error_message } = await runUnder(server, `echo $$ > ${group.procs}`);
      assert.deepEqual([status, reason], ['failed', 'died']);
      assert.match(error_message ?? '', /^bpftrace was ended by SIGKILL, not by this server/);
    },
  },
];
