import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Audit } from '../../src/audit/audit.js';
import { createEngine, Refusal } from '../../src/engine/index.js';
import { BPFTRACE } from '../support/server.js';

const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-audit-'));
after(() => rmSync(folder, { recursive: true }));
let made = 0;
const newPath = (): string => join(folder, `audit-${++made}.log`);
const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));

const OPTIONS = { maxBytes: 1_000_000, keep: 3, programs: false, required: false };
const SUBMISSION = {
  kind: 'run',
  client: 'me',
  program: 'abc',
  text: 'BEGIN {}',
  decision: 'admitted',
} as const;

describe('audit', () => {
  test('each submission and each outcome, refused ones with the rule; texts only when asked for', async () => {
    for (const auditPrograms of ['off', 'on'] as const) {
      const auditLog = newPath();
      const engine = createEngine({ bpftrace: BPFTRACE, auditLog, auditPrograms });
      const me = engine.as('me');
      const program = 'BEGIN { printf("hello\\n"); exit(); }';
      const id = me.submit({ program, deadlineMs: 5000 });
      assert.throws(() => me.submit({ program: 'BEGIN { cat("/etc/shadow"); }' }), Refusal);
      assert.throws(() => me.submit({ program: ' ' }), Refusal);
      await me.validate('BEGIN { exit(); }', AbortSignal.timeout(20_000));
      await me.untilEnded(id, { boundMs: 20_000 });
      await engine.close();
      const [started, ...lines] = linesOf(auditLog);
      assert.equal(started?.event, 'started');
      assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
      const told = lines.map(
        ({ event, kind, client, decision, rule, execution, text, status, endedBy, lines }) =>
          Object.fromEntries(
            Object.entries({
              event,
              kind,
              client,
              decision,
              rule,
              execution,
              text,
              status,
              endedBy,
              lines,
            }).filter(([, value]) => value !== undefined),
          ),
      );
      const texts = (text: string) => (auditPrograms === 'on' ? { text } : {});
      assert.deepEqual(told, [
        {
          event: 'submitted',
          kind: 'run',
          client: 'me',
          decision: 'admitted',
          execution: id,
          ...texts(program),
        },
        {
          event: 'submitted',
          kind: 'run',
          client: 'me',
          decision: 'policy_denied',
          rule: 'read_file',
          ...texts('BEGIN { cat("/etc/shadow"); }'),
        },
        { event: 'submitted', kind: 'run', client: 'me', decision: 'invalid_argument', ...texts(' ') },
        {
          event: 'submitted',
          kind: 'validate',
          client: 'me',
          decision: 'admitted',
          ...texts('BEGIN { exit(); }'),
        },
        { event: 'ended', client: 'me', execution: id, status: 'completed', endedBy: 'exit', lines: 1 },
      ]);
      assert.equal(lines[0]?.program, lines[4]?.program, 'the hash is the one of the outcome');
      assert.equal(statSync(auditLog).mode & 0o777, 0o600);
    }
  });

  test('a file that has grown is put aside, and the oldest goes', () => {
    const path = newPath();
    const audit = new Audit({ ...OPTIONS, path, maxBytes: 4096, keep: 2 });
    for (let n = 0; n < 200; n++) audit.submitted({ ...SUBMISSION, program: String(n) });
    audit.close();
    const names = readdirSync(folder).filter(name => path.endsWith(name.replace(/\.\d$/, '')));
    assert.deepEqual(
      names.sort(),
      [path, `${path}.1`, `${path}.2`].map(name => name.slice(folder.length + 1)),
    );
    for (const name of names) assert.ok(statSync(join(folder, name)).size < 4096 + 200);
    const kept = [`${path}.2`, `${path}.1`, path].flatMap(linesOf).map(({ program }) => Number(program));
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, i) => 200 - kept.length + i),
    );
  });

  test('a file that is moved away or deleted is made anew, one with a laxer mode is closed to others', () => {
    const path = newPath();
    writeFileSync(path, '');
    chmodSync(path, 0o644);
    const audit = new Audit({ ...OPTIONS, path });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    renameSync(path, `${path}.mine`);
    audit.submitted(SUBMISSION);
    rmSync(path);
    audit.submitted(SUBMISSION);
    assert.deepEqual([linesOf(path).length, linesOf(`${path}.mine`).length, audit.state.failed], [1, 1, 0]);
    audit.close();
  });

  for (const [what, prepare] of [
    ['a folder that is not there', path => `${path}/audit.log`],
    ['a folder', path => mkdirSync(path)],
    ['a symbolic link', path => symlinkSync('/dev/null', path)],
    ['a pipe that nobody reads', path => void execFileSync('mkfifo', [path])],
    ['a device', () => '/dev/null'],
  ] as [string, (path: string) => unknown][]) {
    test(`${what} takes no audit: it is told, counted, and refuses programs only where audit is required`, async () => {
      const path = newPath();
      const prepared = prepare(path);
      const auditLog = typeof prepared === 'string' ? prepared : path;
      for (const auditRequired of ['off', 'on'] as const) {
        const problems: (string | undefined)[] = [];
        const engine = createEngine(
          { bpftrace: BPFTRACE, auditLog, auditRequired },
          { onAuditProblem: problem => problems.push(problem) },
        );
        const me = engine.as('me');
        const submit = (): string => me.submit({ program: 'BEGIN { exit(); }' });
        if (auditRequired === 'on') {
          assert.throws(submit, error => error instanceof Refusal && error.code === 'audit_failed');
          assert.equal(me.list().length, 0);
        } else {
          const id = submit();
          await me.untilEnded(id, { boundMs: 20_000 });
          assert.equal(me.result(id).status, 'completed');
        }
        await engine.close({ hurry: true });
        assert.equal(problems.length, 1);
        assert.match(String(problems[0]), /EISDIR|ENOTDIR|ENOENT|ELOOP|ENXIO|not a regular file/);
      }
    });
  }

  test('a full disk: lines that do not fit are counted, and there is no half line among later ones', () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk], { stdio: 'pipe' });
    } catch (error) {
      assert.fail(`no tmpfs can be mounted: ${error}`);
    }
    try {
      const path = join(disk, 'audit.log');
      const audit = new Audit({ ...OPTIONS, path });
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(4000));
      for (let n = 0; n < 100; n++) audit.submitted(SUBMISSION);
      const { written, failed, problem } = audit.state;
      assert.equal(written + failed, 101);
      assert.ok(failed > 50, String(failed));
      assert.match(problem ?? '', /ENOSPC/);
      const required = new Audit({ ...OPTIONS, path, required: true });
      assert.throws(() => required.submitted(SUBMISSION), /could not be written to the audit file: ENOSPC/);
      rmSync(join(disk, 'ballast'));
      audit.submitted(SUBMISSION);
      required.submitted(SUBMISSION);
      assert.equal(audit.state.problem, undefined);
      audit.close();
      required.close();
      const whole = readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .filter(line => line.endsWith('}'));
      assert.equal(whole.length, written + 2);
      for (const line of whole) JSON.parse(line);
    } finally {
      execFileSync('umount', [disk]);
    }
    assert.equal(existsSync(join(disk, 'audit.log')), false);
  });
});
