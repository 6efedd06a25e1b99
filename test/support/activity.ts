import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Opens, reads, synchronises, signals and connects on loopback 50 times a second; starts processes and TLS, less often. */
const PROGRAM = `
const { execFile } = require('node:child_process');
const { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } = require('node:fs');
const { lookup } = require('node:dns');
const { connect, createServer } = require('node:net');
const { tmpdir } = require('node:os');
const scratch = openSync(tmpdir(), 'r');
const server = createServer(socket => socket.end('x'));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  setInterval(() => {
    readFileSync('/etc/hostname');
    statSync('/etc');
    fsyncSync(scratch);
    process.kill(process.pid, 0);
    connect(port, '127.0.0.1').on('error', () => {}).resume();
  }, 20);
  setInterval(() => {
    lookup('localhost', () => {});
    execFile('/bin/sh', ['-c', 'sync -f /etc/hostname; sleep 0.01; cat /etc/hostname'], () => {});
    execFile('openssl', ['s_client', '-connect', '127.0.0.1:' + port], () => {}).stdin.end();
  }, 100);
});
// Whoever started it holds the other end: it never outlives them.
process.stdin.on('end', () => process.exit()).resume();
`;

/** A few opens, reads and processes a second: what an emulated processor can do beside its tests. */
const LIGHT_PROGRAM = `
const { execFile } = require('node:child_process');
const { readFileSync } = require('node:fs');
setInterval(() => readFileSync('/etc/passwd'), 50);
setInterval(() => execFile('/bin/cat', ['/etc/passwd'], () => {}), 300);
process.stdin.on('end', () => process.exit()).resume();
`;

/** Something to trace, until it is stopped. */
export function startActivity(light = false): { stop: () => Promise<void> } {
  const child = spawn(process.execPath, ['-e', light ? LIGHT_PROGRAM : PROGRAM], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  return {
    stop: async () => {
      child.stdin?.end();
      await exited;
    },
  };
}

/** Something to trace, as long as `while_` runs. */
export async function withActivity<T>(while_: () => Promise<T>): Promise<T> {
  const activity = startActivity();
  try {
    return await while_();
  } finally {
    await activity.stop();
  }
}
