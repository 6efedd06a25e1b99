import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DIAGNOSTIC_CODES } from '../../src/bpftrace/diagnostics/index.js';
import { loadConfig } from '../../src/config.js';
import { FAILURES, REFUSALS } from '../../src/contract/errors.js';
import { PROMPTS } from '../../src/mcp/prompts/index.js';
import { describePrompt } from '../../src/mcp/prompts/serve.js';
import { describeTool } from '../../src/mcp/server.js';
import { allTools } from '../../src/mcp/tools/index.js';
import { fixturePath } from '../support/fixtures.js';

/**
 * The surface that others build on: names, schemas, descriptions and codes, as a file that is read by eye when
 * it changes. To accept a change on purpose: UPDATE_SURFACE=1 npm test -- surface
 */
test('tool names, schemas, prompts and error codes are the ones that were agreed on', () => {
  const tools = allTools(loadConfig({}, {})).map(describeTool);
  const prompts = PROMPTS.map(describePrompt);
  const surface = `${JSON.stringify({ refusals: REFUSALS, failures: FAILURES, diagnostics: DIAGNOSTIC_CODES, tools, prompts }, null, 2)}\n`;
  const file = fixturePath('surface.json');
  if (process.env.UPDATE_SURFACE) writeFileSync(file, surface);
  assert.equal(surface, readFileSync(file, 'utf8'));
});

test('each tool can be told from its name, and its description is within what clients show', () => {
  const tools = allTools(loadConfig({}, {}));
  assert.ok(tools.length <= 12);
  for (const { name, description } of tools) {
    assert.match(name, /^[a-z]+(_[a-z]+)*$/);
    assert.ok(description.length < 2048, `${name}: ${description.length} characters`);
  }
});
