import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Minimal Debian systems, made once and kept in the user's cache. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'bpftrace-mcp');

type Say = (line: string) => void;

/** The folder of a minimal system of this suite with these packages. One that was not finished is made anew. */
export function minimalSystem(name: string, suite: string, packages: readonly string[], say: Say): string {
  const folder = join(CACHE, name);
  if (existsSync(join(folder, '.complete'))) return folder;
  needPackages({ debootstrap: 'debootstrap' }, say);
  say(`making a minimal ${suite} with ${packages.join(', ')}: ${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, suite, folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(join(folder, '.complete'), '');
  return folder;
}

/** Installs what is missing. @param commands package by command */
export function needPackages(commands: Record<string, string>, say: Say): void {
  const missing = Object.entries(commands).filter(([command]) => !onPath(command));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  say(`installing ${packages.join(', ')}`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
}

function onPath(command: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
