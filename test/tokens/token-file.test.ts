import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { addToken, removeToken } from '../../src/tokens/edit.js';
import { TokenFile, TokenFileError } from '../../src/tokens/token-file.js';
import { MAIN } from '../support/server.js';

describe('token files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tokens-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tokens');

  test('a token is found by itself alone, nothing of it is in the file, and only its owner can read that', () => {
    const one = addToken(path, { name: 'one', policy: 'observe' });
    const two = addToken(path, { name: 'two', limits: { concurrent: 2 } });
    const file = new TokenFile(path);
    assert.deepEqual([file.find(one)?.name, file.find(two)?.name], ['one', 'two']);
    for (const other of ['', one.slice(0, -1), `${one}x`, one.toUpperCase()]) {
      assert.equal(file.find(other), undefined);
    }
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes(one.slice(5)) && !text.includes(two.slice(5)));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.throws(() => addToken(path, { name: 'one' }), TokenFileError);
  });

  test('it is read again when it changes: by hand, by another program, by being replaced or taken away', () => {
    const changes: { tokens: number; problem?: string }[] = [];
    const file = new TokenFile(path, change => changes.push(change));
    const three = addToken(path, { name: 'three' });
    const found = file.find(three);
    assert.ok(found && file.holds(found));
    assert.equal(removeToken(path, 'three'), true);
    assert.equal(file.holds(found), false);
    assert.equal(file.find(three), undefined);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, `# by hand\n\n${before}`);
    assert.equal(file.find(three), undefined);
    rmSync(path);
    assert.equal(file.find(three), undefined);
    writeFileSync(path, before, { mode: 0o600 });
    assert.equal(file.find(three), undefined);
    assert.deepEqual(
      changes.map(({ tokens, problem }) => (problem === undefined ? tokens : 'none')),
      [3, 2, 2, 'none', 2],
    );
  });

  test('links in a circle in its place let nobody in until it is back', () => {
    const circle = join(folder, 'circle');
    const token = addToken(circle, { name: 'round' });
    const file = new TokenFile(circle);
    const found = file.find(token);
    assert.ok(found);
    const before = readFileSync(circle, 'utf8');
    rmSync(circle);
    symlinkSync(circle, circle);
    assert.equal(file.holds(found), false);
    assert.equal(file.find(token), undefined);
    assert.match(file.reload().problem ?? '', /can't be read: ELOOP/);
    rmSync(circle);
    writeFileSync(circle, before, { mode: 0o600 });
    assert.equal(file.find(token)?.name, 'round');
  });

  test('what was changed about a token, or is over, no longer holds', () => {
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    const brief = addToken(path, { name: 'brief', expires });
    const file = new TokenFile(path);
    const found = file.find(brief);
    assert.ok(found && file.holds(found));
    const changed = readFileSync(path, 'utf8').replace('"name":"brief"', '"name":"brief","policy":"full"');
    writeFileSync(path, changed);
    assert.equal(file.holds(found), false);
    const [again] = [file.find(brief)];
    assert.ok(again && file.holds(again));
    assert.equal(file.holds({ ...again, expires: new Date(0).toISOString() }), false);
  });

  const zeros = '0'.repeat(64);
  for (const [name, line, reason] of [
    ['no JSON', 'hello', /line 1: is no JSON/],
    ['a hash that is none', '{"name":"a","sha256":"1234"}', /sha256: must be 64 hex digits/],
    ['a field nobody knows', `{"name":"a","sha256":"${zeros}","polcy":"full"}`, /polcy/],
    ['a policy nobody knows', `{"name":"a","sha256":"${zeros}","policy":"root"}`, /policy/],
    ['a name twice', `{"name":"a","sha256":"${zeros}"}\n`.repeat(2), /line 2: there are two tokens a/],
  ] as const) {
    test(`refused: ${name}`, () => {
      const wrong = join(folder, 'wrong');
      writeFileSync(wrong, line, { mode: 0o600 });
      const isRefused = (error: unknown) => error instanceof TokenFileError && reason.test(error.message);
      assert.throws(() => new TokenFile(wrong), isRefused);
    });
  }

  test('others may neither read it nor write it, nor may it be theirs', {
    skip: process.geteuid?.() !== 0 && 'needs root, to give a file away',
  }, () => {
    const mine = join(folder, 'mine');
    addToken(mine, { name: 'a' });
    for (const mode of [0o604, 0o620, 0o602]) {
      chmodSync(mine, mode);
      assert.throws(() => new TokenFile(mine), /must not be able to read it/);
    }
    chmodSync(mine, 0o640);
    assert.ok(new TokenFile(mine));
    execFileSync('chown', ['65534', mine]);
    assert.throws(() => new TokenFile(mine), /belongs to user 65534/);
  });

  test('behind a link: the file that it leads to is changed, and the link stays', () => {
    const real = join(folder, 'real');
    const link = join(folder, 'link');
    addToken(real, { name: 'stays' });
    symlinkSync(real, link);
    const token = addToken(link, { name: 'goes' });
    const file = new TokenFile(real);
    assert.equal(file.find(token)?.name, 'goes');
    assert.equal(removeToken(link, 'goes'), true);
    assert.equal(file.find(token), undefined);
    assert.ok(lstatSync(link).isSymbolicLink());
  });

  test('nothing is added to what no server would read', () => {
    const open = join(folder, 'open');
    writeFileSync(open, '');
    chmodSync(open, 0o644);
    assert.throws(() => addToken(open, { name: 'a' }), /mode 644.*chmod 600 it/);
    assert.equal(statSync(open).size, 0);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.throws(() => addToken(pipe, { name: 'a' }), /is not a regular file/);
  });

  test('the command prints the token alone on standard output, and refuses what it cannot do', () => {
    const file = join(folder, 'command');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [MAIN, 'token', ...args], { encoding: 'utf8' });
    const terms = ['--policy', 'observe', '--expires', '30d', '--per-minute', '5'];
    const added = run('add', 'ci', '--tokens', file, ...terms);
    assert.match(added.stdout, /^bpft_[\w-]{43}\n$/);
    assert.equal(new TokenFile(file).find(added.stdout.trim())?.limits?.per_minute, 5);
    const listed = run('list', '--tokens', file).stdout;
    assert.match(listed, /^ci {2}policy observe {2}until .* per_minute 5\n$/);
    for (const [args, status] of [
      [['add', 'ci', '--tokens', file], 1],
      [['add', 'a b', '--tokens', file], 2],
      [['add', 'late', '--tokens', file, '--expires', '2001-01-01'], 2],
      [['add', 'far', '--tokens', file, '--expires', '+012026-11-29'], 2],
      [['add', 'odd', '--tokens', file, '--expires', '2/31/2090'], 2],
      [['add', 'few', '--tokens', file, '--open', '0'], 2],
      [['remove', 'nobody', '--tokens', file], 1],
      [['list'], 2],
    ] as const) {
      assert.equal(run(...args).status, status, args.join(' '));
    }
    const until = (when: string) => {
      const { status, stderr } = run('add', 'dated', '--tokens', file, '--expires', when);
      if (status !== 0) return stderr.trim();
      const moment = /^dated .*until (\S+)/m.exec(run('list', '--tokens', file).stdout)?.[1];
      assert.equal(run('remove', 'dated', '--tokens', file).status, 0);
      return moment;
    };
    for (const day of ['2090-02-29', '2090-02-31', '2090-04-31'])
      assert.match(until(day) ?? '', /there is no such day$/, day);
    for (const when of ['2090-13-01', '2090-01-32', '2090-01-31T25:00', '2090'])
      assert.match(until(when) ?? '', /must be a date such as/, when);
    assert.equal(until('2092-02-29'), '2092-02-29T00:00:00.000Z');
    assert.equal(until('2090-01-31 18:00Z'), '2090-01-31T18:00:00.000Z');
    assert.equal(until('2090-02-28T23:30:00-01:00'), '2090-03-01T00:30:00.000Z');
    assert.equal(run('remove', 'ci', '--tokens', file).status, 0);
    assert.equal(readFileSync(file, 'utf8').trim(), '');
  });
});
