import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { shell } from '../support/fake-bpftrace.js';
import type { Fault } from './fault.js';

/** Takes tracefs and debugfs away where a process sees them; gives back how to have them again. */
function unmountTracefs(pid: number): () => void {
  const inside = (...command: string[]): void => {
    execFileSync('nsenter', ['-t', String(pid), '-m', ...command], { stdio: 'pipe' });
  };
  const mounts = readFileSync(`/proc/${pid}/mounts`, 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(([, , type = '']) => type === 'tracefs' || type === 'debugfs');
  for (const [, target = ''] of mounts.toReversed()) inside('umount', '-l', target);
  return () => {
    for (const [, target = '', type = ''] of mounts) inside('mount', '-t', type, type, target);
  };
}

/** What bpftrace looks for its probes in. */
export const TRACEFS_FAULTS: readonly Fault[] = [
  {
    fault: 'tracefs is unmounted while a program runs',
    seen: 'it runs on and gives its maps; others fail and say why, until it is mounted again',
    // A mount namespace of its own: the machine keeps its tracefs.
    listsProbes: true,
    node: shell(`exec unshare -m --propagation private ${process.execPath} "$@"`),
    async happen(server, { say }) {
      const program = 'tracepoint:sched:sched_switch { @ = count(); }';
      const { execution_id, status } = await server.result('exec_program', { program, timeout: 60 });
      assert.equal(status, 'running');
      const mountAgain = unmountTracefs(server.pid);
      const ended = await server.result('stop_program', { execution_id });
      assert.deepEqual([ended.status, ended.maps.length], ['stopped', 1], ended.error_message);
      const failed = await server.result('exec_program', { program, timeout: 1, wait: 30 });
      say(`${failed.reason}: ${failed.error_message}`);
      assert.equal(failed.status, 'failed');
      assert.notEqual(failed.error_message, undefined);
      mountAgain();
    },
  },
];
