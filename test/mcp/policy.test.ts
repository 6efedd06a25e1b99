import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Reply, ServerUnderTest } from '../support/server.js';

const SECRET = 'what only root may read';

test('each policy through the server: what it lets a program do, and that no argument changes it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-policy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, `${SECRET}\n`, { mode: 0o600 });
  const reading = `BEGIN { cat("${file}"); exit(); }`;
  const writing = `BEGIN { system("cat ${file}"); exit(); }`;

  const policies = [
    { profile: 'observe', reads: false, writes: false },
    { profile: 'full', reads: true, writes: false },
    { profile: 'unsafe', reads: true, writes: true },
  ];
  for (const { profile, reads, writes } of policies) {
    const server = await ServerUnderTest.start(['--policy', profile]);
    const run = (program: string): Promise<Reply> => server.call('exec_program', { program, wait: 20 });
    assert.match((await server.call('bpf_info')).text, new RegExp(`^policy ${profile}: `, 'm'));
    assert.equal((await run(reading)).text.includes(SECRET), reads, `${profile}: ${reading}`);
    assert.equal((await run(writing)).text.includes(SECRET), writes, `${profile}: ${writing}`);
    const changed = await server.call('exec_program', { program: reading, policy: 'unsafe' });
    assert.match(changed.text, /^invalid_argument: unknown argument "policy"/);
    await server.close();
  }
});

test('a refusal names the rule, the place and what would be allowed; it is the same wherever the program goes', async () => {
  const server = await ServerUnderTest.start(['--policy', 'observe', '--deny-probes', 'kprobe:*key*']);
  const program = 'BEGIN { }\n  kprobe:key_alloc { cat("/etc/shadow"); }';
  for (const tool of ['exec_program', 'validate_program']) {
    const { isError, text } = await server.call(tool, { program });
    assert.equal(isError, true);
    assert.match(
      text,
      /^policy_denied: 2:3 kprobe:key_alloc .*\(rule probe_list\); 2:22 cat\(\) .*\(rule read_file\)/,
    );
    assert.match(text, /\nNext: allowed is: not kprobe:\*key\*/);
  }
  const listed = await server.call('list_probes', { filter: 'uprobe:/etc/shadow:*' });
  assert.match(listed.text, /^policy_denied: .*\(rule binary\)/);
  await server.close();
});
