import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, flagOf, loadConfig, rangeOf, settingNames, variableOf } from '../src/config.js';

describe('configuration', () => {
  test('defaults are the ones that were promised', () => {
    const config = loadConfig({}, {});
    assert.deepEqual(
      [config.defaultTimeoutS, config.maxTimeoutS, config.maxLines, config.resultTtlS, config.graceS],
      [10, 60, 10_000, 3600, 5],
    );
    assert.ok(Object.isFrozen(config));
  });

  test('a variable sets it, a flag wins over the variable', () => {
    const env = { BPFTRACE_MCP_CONCURRENCY: '3', BPFTRACE_MCP_GRACE_S: '0.5' };
    assert.equal(loadConfig({}, env).concurrency, 3);
    assert.equal(loadConfig({}, env).graceS, 0.5);
    assert.equal(loadConfig({ concurrency: '4' }, env).concurrency, 4);
  });

  test('every setting has a flag, a variable, a description, a default and, if it is a number, a range', () => {
    const config = loadConfig({}, {});
    for (const name of settingNames) {
      assert.match(flagOf(name), /^[a-z]+(-[a-z]+)*$/);
      assert.match(variableOf(name), /^BPFTRACE_MCP_[A-Z_]+$/);
      if (typeof config[name] === 'number')
        assert.match(rangeOf(name) ?? '', /^must be a .*number from .+ to .+$/);
    }
  });

  for (const [flags, env, message] of [
    [{ concurrency: '0' }, {}, /^--concurrency 0: must be auto or a whole number from 1 to 256; it is /],
    [{ concurrency: 'many' }, {}, /^--concurrency many: must be auto or a whole number from 1 to 256/],
    [{ concurrency: '1.5' }, {}, /^--concurrency 1\.5: must be auto or a whole number/],
    [{}, { BPFTRACE_MCP_MAX_LINES: '-1' }, /^BPFTRACE_MCP_MAX_LINES=-1: must be a whole number from 1 to/],
    [{ graceS: '' }, {}, /^--grace-s is empty/],
    [{}, { BPFTRACE_MCP_GRACE_S: ' ' }, /^BPFTRACE_MCP_GRACE_S is empty/],
    [{ logLevel: 'loud' }, {}, /^--log-level loud: must be one of trace, debug/],
    [{ defaultTimeoutS: '61' }, {}, /^--default-timeout-s 61: must not be above the longest deadline, 60 s/],
    [{ concurrency: '0', maxLines: '0' }, {}, /--concurrency 0.*\n--max-lines 0/],
  ] as const) {
    test(`refused: ${JSON.stringify({ ...flags, ...env })}`, () => {
      assert.throws(
        () => loadConfig(flags, env),
        error => error instanceof ConfigError && message.test(error.message),
      );
    });
  }

  test('a longest deadline below the default one takes the default along', () => {
    assert.equal(loadConfig({ maxTimeoutS: '5' }, {}).defaultTimeoutS, 5);
  });
});
