import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repositoryRoot } from './support/fixtures.js';
import { exampleCalls, withGeneratedParts } from './support/readme.js';
import { ServerUnderTest } from './support/server.js';

const readme = readFileSync(join(repositoryRoot(), 'README.md'), 'utf8');

describe('README', () => {
  test('its tables are those of the code (`npm run readme` writes them)', () => {
    assert.equal(readme, withGeneratedParts(readme));
  });

  test('its example calls run', async () => {
    const calls = exampleCalls(readme);
    assert.ok(calls.length >= 3);
    const server = await ServerUnderTest.start(['--log-level', 'silent']);
    for (const { tool, args } of calls) {
      const reply = await server.call(tool, args);
      assert.equal(reply.isError, false, reply.text);
      if (tool === 'exec_program') assert.equal(reply.structured?.status, 'completed', reply.text);
      else assert.ok(Number(reply.structured?.count) > 0, `${tool} found nothing`);
    }
    await server.close();
  });

  test('its library example runs', async () => {
    const source = /```ts library\n([\s\S]*?)```/.exec(readme)?.[1];
    assert.ok(source);
    const url = new URL('../src/engine/index.js', import.meta.url).href;
    const program = source
      .replace("'bpftrace-mcp'", JSON.stringify(url))
      .replace('console.log(', 'globalThis.readmeSaid = (');
    await import(`data:text/javascript,${encodeURIComponent(program)}`);
    const maps: unknown = Reflect.get(globalThis, 'readmeSaid');
    assert.ok(Array.isArray(maps) && maps.length > 0);
  });
});
