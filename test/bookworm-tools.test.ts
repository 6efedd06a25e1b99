import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { findExecutable } from '../src/privilege/executable.js';
import { withActivity } from './support/activity.js';
import { installedTools, runTools, type ToolRow } from './support/bt-tools.js';
import { bpftracesOf } from './support/processes.js';
import { BPFTRACE, ServerUnderTest } from './support/server.js';

/** Debian bookworm's package installs this many. */
const BOOKWORM_TOOLS = 38;
/** Of the server's executions and, beside each, bpftrace itself. */
const AT_ONCE = 4;

/** The version of the package that the bpftrace under test belongs to; undefined when it is not the installed one. */
function packageVersion(): string | undefined {
  if (findExecutable(BPFTRACE, process.env) !== '/usr/bin/bpftrace') return undefined;
  const { stdout } = spawnSync('dpkg', ['-s', 'bpftrace'], { encoding: 'utf8' });
  return /^Version: (.*)$/m.exec(stdout ?? '')?.[1];
}

function tableLine(row: ToolRow): string {
  const { tool, attaches, ended, lines, maps, note } = row;
  return [tool, attaches ? 'yes' : 'no', ended, lines, maps.join(', ') || '-', note || '-'].join(' | ');
}

test("each ready tool of bookworm's package does here what it does with bpftrace itself", async t => {
  if (process.geteuid?.() !== 0) return t.skip('needs root');
  const version = packageVersion();
  const tools = installedTools();
  const isBookworm = version?.startsWith('0.17.0') === true;
  if (isBookworm) assert.equal(tools.length, BOOKWORM_TOOLS, "bookworm's package has lost tools");
  if (version === undefined || tools.length === 0) return t.skip(`no ready tools come with ${BPFTRACE}`);

  const server = await ServerUnderTest.start(['--concurrency', String(AT_ONCE), '--standby', '0']);
  t.after(() => server.process.kill('SIGKILL'));
  const rows = await withActivity(() => runTools(server, BPFTRACE, tools, AT_ONCE));

  t.diagnostic('tool | attaches | ended | lines | maps | note');
  for (const row of rows) t.diagnostic(tableLine(row));
  assert.deepEqual(bpftracesOf(server.pid), [], 'a bpftrace was left');
  const disagreeing = rows.filter(row => row.disagreements.length > 0);
  assert.deepEqual(
    disagreeing.map(row => `${row.tool}: ${row.disagreements.join('; ')}`),
    [],
  );
  const { code } = await server.close();
  assert.equal(code, 0, server.log);
});
