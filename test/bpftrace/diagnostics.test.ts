import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose, headline, worthShowing } from '../../src/bpftrace/diagnostics/index.js';

/** What can't be brought about on every machine: words captured from real runs, given to the parser alone. */

const MEMLOCK = `ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace. If your program is not loading, you can try "ulimit -l 8192" to fix the problem\n`;
const told = (said: readonly { severity: string; code: string; line?: number | undefined }[]) =>
  said.map(({ severity, code, line }) => [severity, code, line]);

describe('what bpftrace says on standard error', () => {
  test('0.17: a tab is one column of the line, and four blanks of the excerpt', () => {
    const program = `${'\n'.repeat(36)}\t$len = $my_q->nr_running;`;
    const [error, noise, ...rest] = diagnose(
      `${MEMLOCK}stdin:37:9-26: ERROR: Struct/union of type 'struct cfs_rq' does not contain a field named 'nr_running'
    $len = $my_q->nr_running;
           ~~~~~~~~~~~~~~~~~
`,
      { program },
    );
    assert.equal(noise?.noise, true);
    assert.deepEqual(rest, []);
    assert.deepEqual(error, {
      severity: 'error',
      code: 'unknown_field',
      message: "Struct/union of type 'struct cfs_rq' does not contain a field named 'nr_running'",
      line: 37,
      column: 16,
      end_column: 26,
      excerpt: '\t$len = $my_q->nr_running;',
    });
  });

  test('bytes become characters, whatever stands before the place', () => {
    const program = 'BEGIN { printf("ä€😀" }';
    const [error] = diagnose('stdin:1:28-29: ERROR: syntax error, unexpected }, expecting ) or ","\n', {
      program,
    });
    assert.equal(error?.column, program.indexOf('}') + 1);
  });

  test('a place behind the program is its end', () => {
    const program = 'BEGIN { exit();  \n';
    const [error] = diagnose('stdin:4:2-9: ERROR: syntax error, unexpected call, expecting }\n', { program });
    assert.deepEqual([error?.line, error?.column, error?.end_column], [1, 16, undefined]);
  });

  test('0.23: a warning without an excerpt does not take the next message for one', () => {
    const program = `${'\n'.repeat(27)}END {}\nkprobe:vfs_create { @ = count(); }`;
    const said = diagnose(
      `stdin:28-29: WARNING: vfs_create is not traceable (either non-existing, inlined, or marked as "notrace"); attaching to it will likely fail
create_probe_event: open(/sys/kernel/debug/tracing/kprobe_events): No such file or directory
WARNING: could not attach probe kprobe:vfs_create, skipping.
`,
      { program },
    );
    assert.deepEqual(told(said), [['warning', 'probe_skipped', 29]]);
    assert.equal(said[0]?.notes?.length, 2, 'what led to it');
  });

  test('0.17: what it says when uprobes are detached is no news', () => {
    const said = diagnose(`${MEMLOCK}ioctl(PERF_EVENT_IOC_DISABLE) failed: Bad file descriptor
close perf event FD failed: Bad file descriptor
ERROR: failed to close perf event FDs for probe: uretprobe:/lib/x86_64-linux-gnu/libssl.so.3:SSL_read
`);
    assert.deepEqual(worthShowing(said, false), []);
    assert.match(headline(said) ?? '', /RLIMIT_MEMLOCK/);
  });

  test('the memlock limit is told where it may be the cause, and only there', () => {
    const [unloaded] = worthShowing(
      diagnose(`${MEMLOCK}ERROR: failed to create map: '@': Operation not permitted\n`),
      true,
    );
    assert.equal(unloaded?.code, 'load');
    const failed = diagnose(`${MEMLOCK}ERROR: failed to create map: '@': Operation not permitted\n`);
    assert.equal(worthShowing(failed, true).length, 2);
    const unknown = diagnose(`${MEMLOCK}stdin:1:9-15: ERROR: Unknown function: prinft\n`, {
      program: 'BEGIN { prinft(); }',
    });
    assert.equal(worthShowing(unknown, true).length, 1);
  });

  for (const [version, stderr] of [
    [
      '0.17',
      `\nError log: \n0: R1=ctx() R10=fp0\n${'0: (05) goto pc-1\n'.repeat(400)}infinite loop detected at insn 0\ncur state: R1=ctx() R10=fp0\nprocessed 9 insns (limit 1000000) max_states_per_insn 0 total_states 1\n\nERROR: Error loading program: interval:ms:100\n`,
    ],
    [
      '0.27',
      `ERROR: Error loading BPF program for interval_ms_100_1. Error code: -22 (Invalid argument).\nKernel error log: \n0: R1=ctx() R10=fp0\n;  @ bpftrace.bpf.o:0\n${'0: (05) goto pc-1\n'.repeat(400)}infinite loop detected at insn 0\ncur state: R1=ctx() R10=fp0\nprocessed 9 insns (limit 1000000) max_states_per_insn 0 total_states 1\n\n`,
    ],
  ] as const) {
    test(`${version}: the verifier's log is kept at both ends, its reason told in the message`, () => {
      const program = 'BEGIN { }\ninterval:ms:100 { $i = 0; while (1) { $i++; } }';
      const [error, ...rest] = diagnose(stderr, { program });
      assert.deepEqual(rest, []);
      assert.equal(error?.code, 'verifier');
      assert.deepEqual([error.line, error.column], [2, 1]);
      assert.match(error.message, /infinite loop detected at insn 0$/);
      assert.ok((error.log_lines ?? 0) > 400);
      assert.ok((error.log ?? '').length < 4200);
      assert.match(error.log ?? '', /^0: R1=ctx[\s\S]*\(\d+ lines left out\)[\s\S]*processed 9 insns/);
    });
  }

  for (const [stderr, code] of [
    [`Kernel lockdown is enabled and set to 'confidentiality'. Lockdown mode blocks`, 'lockdown'],
    ['bpftrace currently only supports running as the root user.', 'permission'],
    ['BUG: [./src/ast/passes/codegen_llvm.cpp:120] unreachable', 'bpftrace_bug'],
    ['ERROR: failed to create map: "@": Cannot allocate memory', 'no_memory'],
    ['ERROR: BTF data not available', 'no_btf'],
  ] as const) {
    test(`${code}: ${stderr}`, () => {
      assert.equal(diagnose(`ERROR: ${stderr.replace(/^ERROR: /, '')}\n`)[0]?.code, code);
    });
  }
});
