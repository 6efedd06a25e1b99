import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { hiddenFromUnit, systemd } from '../../src/cli/systemd-command.js';
import { ConfigError, loadConfig, type SettingName } from '../../src/config.js';
import { fetchOf } from '../../src/mcp/connect/place.js';
import { findExecutable } from '../../src/privilege/executable.js';
import type { Result } from '../../src/results/result.js';
import { BootedUnit, noBoot } from '../support/booted-unit.js';
import { BPFTRACE, MAIN } from '../support/server.js';
import { until } from '../support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'mcp-unit-'));
after(() => rmSync(folder, { recursive: true }));

const unit = (flags: Partial<Record<SettingName, string>> = {}): string =>
  systemd(flags, given => loadConfig(given, {}));

const hasAnalyze = findExecutable('systemd-analyze', process.env) !== undefined;
const OF_SYSTEMD = hasAnalyze ? false : 'systemd-analyze is not installed';
/** Of systemd's scale from 0 to 10; as of systemd 252 it is 3.2. */
const EXPOSURE_AT_MOST = 3.5;

/** What systemd's hardening could break. */
const PROGRAMS: readonly (readonly [program: string, map: string])[] = [
  ['tracepoint:sched:sched_switch { @[comm, kstack(3)] = count(); }', '@'],
  ['profile:hz:99 { @[ustack(3)] = count(); }', '@'],
  ['uprobe:/bin/sh:main { @sh = count(); } interval:ms:50 { @ticks = count(); }', '@ticks'],
  ['tracepoint:syscalls:sys_enter_openat { @[str(args->filename)] = count(); }', '@'],
];

describe('the systemd unit', () => {
  test('its command line is what was given; places that it writes to follow from that', () => {
    const text = unit({ auditLog: '/srv/an audit/100%.log', http: '127.0.0.1:80', drainS: '30' });
    assert.match(
      text,
      /^ExecStart=\S+ \S+ serve --audit-log "\/srv\/an audit\/100%%\.log" --http 127\.0\.0\.1:80 --drain-s 30$/m,
    );
    assert.match(text, /^ReadWritePaths="\/srv\/an audit"$/m);
    assert.match(text, /^CapabilityBoundingSet=.* CAP_NET_BIND_SERVICE$/m);
    assert.match(text, /^TimeoutStopSec=45$/m);
    assert.doesNotMatch(text, /IPAddressDeny|RuntimeDirectory/);
    const { stdout: plain } = spawnSync(process.execPath, [MAIN, 'systemd'], { encoding: 'utf8' });
    assert.match(plain, /^ExecStart=.* serve --unix \/run\/bpftrace-mcp\/socket$/m);
    assert.match(plain, /^RuntimeDirectory=bpftrace-mcp$/m);
    assert.match(hiddenFromUnit('/tmp/x/main.js') ?? '', /PrivateTmp/);
    assert.equal(hiddenFromUnit('/opt/x/main.js'), undefined);
    for (const wrong of [{ unix: 'socket' }, { http: '0.0.0.0:1' }, { stdio: 'on' }])
      assert.throws(() => unit(wrong), ConfigError);
  });

  test('systemd-analyze finds nothing wrong, and little exposed', { skip: OF_SYSTEMD }, () => {
    const file = join(folder, 'bpftrace-mcp.service');
    writeFileSync(file, unit({ unixGroup: 'root', auditLog: '/var/log/bpftrace-mcp/audit.log' }));
    const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    // Of other units of the host it may complain.
    assert.equal(verified.status, 0, verified.stderr);
    assert.doesNotMatch(verified.stderr, /bpftrace-mcp/);
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
      encoding: 'utf8',
    });
    const exposure = Number(/Overall exposure level for [^:]*: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure <= EXPOSURE_AT_MOST, stdout);
  });

  const reason =
    noBoot() ?? (BPFTRACE === 'bpftrace' ? undefined : 'its bpftrace is in a chroot, which the unit forbids');
  test('a systemd that is booted for it: it traces, reloads and ends under all of its hardening', {
    skip: reason ?? false,
  }, async () => {
    const booted = await BootedUnit.start(unit({ auditLog: '/var/log/bpftrace-mcp/audit.log', drainS: '1' }));
    try {
      const server = await until('the server serves', 60_000, () => {
        if (!booted.said.includes('serving MCP')) return undefined;
        return booted.processes.find(({ command }) => command.includes(' serve '));
      });
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      assert.match(status, /^CapBnd:\t000000c400280004$/m);

      const socketPath = booted.path('/run/bpftrace-mcp/socket');
      const url = new URL('http://localhost/mcp');
      const client = new Client({ name: 'test', version: '0' });
      await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchOf({ url, socketPath }) }));
      for (const [program, map] of PROGRAMS) {
        const args = { program, timeout: 1, wait: 50 };
        const reply = (await client.callTool({ name: 'exec_program', arguments: args })) as CallToolResult;
        assert.notEqual(reply.isError, true, JSON.stringify(reply.content));
        const { status: how, ended_by, error_message, maps } = reply.structuredContent as Result;
        assert.deepEqual([how, ended_by, error_message], ['completed', 'deadline', undefined], program);
        assert.ok(
          maps.some(({ name }) => name === map),
          `${program}: ${JSON.stringify(maps)}`,
        );
      }
      await client.close();

      booted.systemctl('reload', 'bpftrace-mcp');
      await until('it has reloaded', 30_000, () => booted.said.includes('"msg":"reloaded"'));
      booted.systemctl('stop', 'bpftrace-mcp');
      assert.match(
        booted.systemctl('show', 'bpftrace-mcp', '-p', 'ActiveState,Result'),
        /Result=success\nActiveState=inactive/,
      );
      assert.match(booted.said, /"msg":"ended"\}\n$/);
      assert.deepEqual(
        booted.processes.filter(({ command }) => command.includes('bpftrace')),
        [],
      );
    } finally {
      await booted.end();
    }
  });
});
