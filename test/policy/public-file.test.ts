import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPublicFile } from '../../src/policy/public-file.js';

test('which files every user of the host can read, and only root can replace', t => {
  if (process.geteuid?.() !== 0) return t.skip('needs root, to make files of other users');
  const folder = mkdtempSync(join(tmpdir(), 'public-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  // Not join(), which would resolve the dots.
  const at = (name: string): string => `${folder}/${name}`;
  const file = (name: string, mode: number): void => {
    writeFileSync(at(name), 'x');
    chmodSync(at(name), mode);
  };
  const folderOf = (name: string, mode: number): void => {
    mkdirSync(at(name));
    chmodSync(at(name), mode);
  };
  file('public', 0o644);
  file('private', 0o600);
  file('group', 0o640);
  file('others', 0o604);
  folderOf('closed', 0o700);
  file('closed/public', 0o644);
  folderOf('listable', 0o744);
  file('listable/public', 0o644);
  folderOf('searchable', 0o711);
  file('searchable/public', 0o644);
  folderOf('writable', 0o777);
  file('writable/public', 0o644);
  folderOf('sticky', 0o1777);
  file('sticky/public', 0o644);
  file('sticky/theirs', 0o644);
  chownSync(at('sticky/theirs'), 1000, 1000);
  folderOf('theirs', 0o755);
  file('theirs/public', 0o644);
  chownSync(at('theirs'), 1000, 1000);
  symlinkSync('public', at('link'));
  symlinkSync(at('private'), at('link-to-private'));
  symlinkSync('closed/public', at('link-into-closed'));
  symlinkSync('loop', at('loop'));
  symlinkSync('../..', at('up'));

  const judge = (path: string): string => {
    const found = findPublicFile(path);
    if (!found) return 'no';
    if (found.realPath === undefined) return 'not there';
    return found.isHeldByRoot ? 'yes' : 'replaceable';
  };
  const verdicts = {
    public: 'yes',
    others: 'yes',
    private: 'no',
    group: 'no',
    'closed/public': 'no',
    'closed/nothing': 'no',
    'closed/../public': 'no',
    'listable/public': 'no',
    'searchable/public': 'yes',
    'writable/public': 'replaceable',
    'sticky/public': 'yes',
    'sticky/theirs': 'replaceable',
    'theirs/public': 'replaceable',
    'theirs/../public': 'replaceable',
    link: 'yes',
    'link-to-private': 'no',
    'link-into-closed': 'no',
    loop: 'no',
    'up/..//./etc/passwd': 'yes',
    nothing: 'not there',
    'public/x': 'not there',
    '': 'no',
  };
  for (const [name, verdict] of Object.entries(verdicts)) assert.equal(judge(at(name)), verdict, name);
  for (const path of ['/proc/loadavg', '/proc/pressure/cpu', '/etc/passwd'])
    assert.equal(judge(path), 'yes', path);
  for (const path of [
    '/proc/kallsyms',
    '/proc/self/environ',
    `/proc/self/root${at('public')}`,
    '/dev/null',
    '/',
    'etc/passwd',
    '',
  ])
    assert.equal(judge(path), 'no', path);
});
