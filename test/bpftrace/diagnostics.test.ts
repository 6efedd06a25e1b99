import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headline, parseDiagnostics, worthShowing } from '../../src/bpftrace/diagnostics.js';

const MEMLOCK = `ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace. If your program is not loading, you can try "ulimit -l 8192" to fix the problem\n`;

describe('what bpftrace says on standard error', () => {
  test('0.17: a tab is one column of the line, and four blanks of the excerpt', () => {
    const [noise, error, ...rest] = parseDiagnostics(
      `${MEMLOCK}stdin:37:9-26: ERROR: Struct/union of type 'struct cfs_rq' does not contain a field named 'nr_running'
    $len = $my_q->nr_running;
           ~~~~~~~~~~~~~~~~~
`,
    );
    assert.equal(noise?.noise, true);
    assert.deepEqual(rest, []);
    assert.deepEqual(error, {
      severity: 'error',
      message: "Struct/union of type 'struct cfs_rq' does not contain a field named 'nr_running'",
      line: 37,
      column: 9,
      end_column: 26,
      excerpt: '\t$len = $my_q->nr_running;',
    });
    assert.equal(error.excerpt?.slice(8, 25), '$my_q->nr_running');
  });

  test('blanks stay blanks', () => {
    const [error] = parseDiagnostics(`stdin:2:5-11: ERROR: Unknown function: nosuch
    nosuch(); @x =    1
    ~~~~~~
`);
    assert.equal(error?.excerpt, '    nosuch(); @x =    1');
  });

  test('0.23: a warning without an excerpt does not take the next message for one', () => {
    const said =
      parseDiagnostics(`stdin:28-29: WARNING: vfs_create is not traceable (either non-existing, inlined, or marked as "notrace"); attaching to it will likely fail
create_probe_event: open(/sys/kernel/debug/tracing/kprobe_events): No such file or directory
WARNING: could not attach probe kprobe:vfs_create, skipping.
`);
    assert.deepEqual(
      said.map(({ severity, line, excerpt }) => [severity, line, excerpt]),
      [
        ['warning', 28, undefined],
        ['note', undefined, undefined],
        ['warning', undefined, undefined],
      ],
    );
  });

  test('0.17: what it says when uprobes are detached is no news', () => {
    const said = parseDiagnostics(`${MEMLOCK}ioctl(PERF_EVENT_IOC_DISABLE) failed: Bad file descriptor
close perf event FD failed: Bad file descriptor
ERROR: failed to close perf event FDs for probe: uretprobe:/lib/x86_64-linux-gnu/libssl.so.3:SSL_read
`);
    assert.deepEqual(worthShowing(said, false), []);
    assert.match(headline(said) ?? '', /RLIMIT_MEMLOCK/);
  });
});
