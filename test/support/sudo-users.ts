import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installMissing } from './packages.js';

/** Real users of this machine with real sudo rules, made for a test and removed with it. */
export interface TestUser {
  name: string;
  uid: number;
}

/** Test files run side by side, each in its own process. */
const RULES = `/etc/sudoers.d/bpftrace-mcp-test-${process.pid}`;
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The process id of the test that made the user who is named in `text`. */
export function makerOf(text: string): number | undefined {
  const pid = /\bbmcp-[a-z]+-([0-9a-z]+)\b/.exec(text)?.[1];
  return pid === undefined ? undefined : Number.parseInt(pid, 36);
}

/** Why it can't be done here; installs sudo where it is missing. */
export function whyNoSudo(): string | false {
  if (process.geteuid?.() !== 0) return 'needs root, to make users';
  try {
    installMissing({ sudo: 'sudo', useradd: 'passwd', script: 'bsdutils' }, console.log);
    return false;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export class SudoUsers {
  private readonly names: string[] = [];
  private readonly rules: string[] = [];
  /** Other users can go in and read. */
  readonly folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-users-'));

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  /** @param rule what follows the name in sudoers, such as `ALL=(ALL) ALL` */
  add(role: string, options: { password?: string; rule?: string } = {}): TestUser {
    const name = `bmcp-${role}-${process.pid.toString(36)}`;
    execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
    this.names.push(name);
    if (options.password) execFileSync('chpasswd', { input: `${name}:${options.password}\n` });
    if (options.rule) {
      this.rules.push(`${name} ${options.rule}`);
      writeFileSync(RULES, `${this.rules.join('\n')}\n`);
      chmodSync(RULES, 0o440);
    }
    return { name, uid: Number(execFileSync('id', ['-u', name], { encoding: 'utf8' })) };
  }

  remove(): void {
    rmSync(RULES, { force: true });
    for (const name of this.names) spawnSync('userdel', ['--force', name], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `main.js` and a Node that every user can run: the checkout's own, or a copy where others may not enter it. */
  installation(user: TestUser): { main: string; node: string } {
    const main = join(root, 'dist/src/main.js');
    const isOpen = spawnSync('test', ['-r', main], { uid: user.uid, gid: user.uid }).status === 0;
    const node = spawnSync(process.execPath, ['--version'], { uid: user.uid, gid: user.uid });
    return {
      main: isOpen ? main : this.copyOfPackage(),
      node: node.status === 0 ? process.execPath : this.copyOfNode(),
    };
  }

  private copyOfPackage(): string {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean }>;
    };
    const needed = Object.entries(lock.packages)
      .filter(([path, { dev }]) => path.startsWith('node_modules/') && !dev)
      .map(([path]) => path)
      .filter(path => isThere(join(root, path)));
    for (const path of [
      'package.json',
      'src/privilege/supervisor.pl',
      'dist/src',
      'dist/workers',
      ...needed,
    ]) {
      cpSync(join(root, path), join(this.folder, path), { recursive: true });
    }
    execFileSync('chmod', ['-R', 'a+rX', this.folder]);
    return join(this.folder, 'dist/src/main.js');
  }

  private copyOfNode(): string {
    const copy = join(this.folder, 'node');
    cpSync(process.execPath, copy);
    chmodSync(copy, 0o755);
    return copy;
  }
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
