import { execFileSync } from 'node:child_process';
import { findExecutable } from '../../src/privilege/executable.js';

type Say = (line: string) => void;

/**
 * Installs what is missing, on systems of Debian's family and as root.
 * @param commands package by command
 * @throws Error that says what is missing, and why it could not be installed
 */
export function installMissing(commands: Record<string, string>, say: Say): void {
  const missing = Object.entries(commands).filter(([command]) => !findExecutable(command, process.env));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  const without = (why: string): Error =>
    new Error(`${missing.map(([command]) => command).join(', ')} missing; ${why}`);
  if (!findExecutable('apt-get', process.env)) throw without('there is no apt-get to install it with');
  if (process.geteuid?.() !== 0) throw without(`as root: apt-get install ${packages.join(' ')}`);
  say(`installing ${packages.join(', ')}`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  // A container's image may have no package lists, or old ones.
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
  const still = missing.filter(([command]) => !findExecutable(command, process.env));
  if (still.length > 0) throw without(`${packages.join(', ')} was installed and does not bring it`);
}
