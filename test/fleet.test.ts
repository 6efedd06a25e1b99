import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addToken } from '../src/tokens/edit.js';
import { type AgentsTask, runFleet } from './support/fleet/crew.js';
import { SharedServer } from './support/shared-server.js';

const CLIENTS = 3;
const PROGRAMS = 3;

/** `npm run bench -- fleet` is the same with 128 of them. */
test('agents in other processes, over HTTP and the Unix socket at once: every result right, none sees another’s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-fleet-'));
  const file = join(folder, 'tokens');
  const tokens = Array.from({ length: CLIENTS }, (_, at) => addToken(file, { name: `agent-${at}` }));
  const server = await SharedServer.start(['--tokens', file]);
  try {
    const shape = { clients: CLIENTS, programs: PROGRAMS, atOnce: 1 };
    const tasks: AgentsTask[] = [
      { ...shape, url: server.url, first: 0, tokens },
      { ...shape, url: 'http://localhost/mcp', socketPath: server.socket, first: CLIENTS, tokens: [] },
    ];
    const { ids, wrong } = await runFleet(tasks, 240_000);
    assert.deepEqual(wrong, []);
    assert.equal(new Set(ids).size, 2 * CLIENTS * PROGRAMS);
  } finally {
    assert.equal(await server.close(), 0);
    rmSync(folder, { recursive: true });
  }
});
