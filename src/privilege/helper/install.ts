import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findExecutable } from '../executable.js';
import { PERL, SUPERVISOR_FILE } from '../sudo.js';
import { type PinChoices, type Pins, pinnedText, pinsFor } from './pins.js';
import { HELPER_PATH, RULE_PATH, SLOT_FOLDER } from './place.js';

/** For whom the rule is; at least one. */
export interface Grantees {
  users: readonly string[];
  groups: readonly string[];
}

/** Why it can't be installed here, and what to do. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

export interface Plan {
  helper: string;
  rule: string;
  pins: Pins;
}

/**
 * What would be installed: a copy of the supervisor that only root can change, held to its pins, and a rule by which
 * the grantees may run that file, without arguments, as root.
 * @throws InstallError
 */
export function planInstall(grantees: Grantees, choices: PinChoices): Plan {
  const names = [...grantees.users, ...grantees.groups.map(group => `%${group}`)];
  if (names.length === 0) throw new InstallError('say for whom: --user NAME or --group NAME');
  for (const name of names) {
    // What sudoers would read as something else than a name.
    if (!/^%?[A-Za-z_][A-Za-z0-9_.-]{0,60}$/.test(name) || name === 'ALL') {
      throw new InstallError(`${JSON.stringify(name)} is not a name that is put into a sudoers file`);
    }
    const database = name.startsWith('%') ? 'group' : 'passwd';
    if (spawnSync('getent', [database, name.replace('%', '')], { stdio: 'ignore' }).status !== 0) {
      throw new InstallError(
        `there is no ${database === 'group' ? 'group' : 'user'} ${name.replace('%', '')}`,
      );
    }
  }
  const pins = pinsFor(choices);
  const settings = `Defaults!${HELPER_PATH} env_reset, !setenv, !requiretty, !use_pty`;
  const rules = names.map(name => `${name} ALL=(root:root) NOPASSWD: ${HELPER_PATH} ""`);
  const header = '# Written by `bpftrace-mcp helper install`; `bpftrace-mcp helper remove` removes it.';
  return {
    helper: pinnedText(readFileSync(SUPERVISOR_FILE, 'utf8'), pins),
    rule: `${[header, settings, ...rules].join('\n')}\n`,
    pins,
  };
}

/**
 * Writes both, whole or not at all, the rule last.
 * @throws InstallError
 */
export function install({ helper, rule, pins }: Plan): void {
  if (process.geteuid?.() !== 0) throw new InstallError('only root can install it: run this with sudo');
  if (!findExecutable('sudo', {})) throw new InstallError('there is no sudo here: install it first');
  mkdirSync(dirname(HELPER_PATH), { recursive: true, mode: 0o755 });
  // Whoever can change one of these is root through the helper.
  for (const path of [PERL, pins.path, dirname(HELPER_PATH)]) assertOnlyRootChanges(path);
  put(HELPER_PATH, helper, 0o755);
  const checked = spawnSync(PERL, ['-Tc', HELPER_PATH], { encoding: 'utf8' });
  if (checked.status !== 0) {
    rmSync(HELPER_PATH, { force: true });
    throw new InstallError(`this perl does not take the helper: ${checked.stderr.trim()}`);
  }
  const draft = `${RULE_PATH}.draft`;
  put(draft, rule, 0o440);
  const visudo = findExecutable('visudo', {});
  const verdict = visudo && spawnSync(visudo, ['-cf', draft], { encoding: 'utf8' });
  if (verdict && verdict.status !== 0) {
    rmSync(draft, { force: true });
    throw new InstallError(`visudo does not take the rule: ${(verdict.stdout + verdict.stderr).trim()}`);
  }
  renameSync(draft, RULE_PATH);
}

/** Removes both, the rule first; gives back what was there. */
export function remove(): string[] {
  const there = [RULE_PATH, HELPER_PATH, SLOT_FOLDER].filter(path =>
    statSync(path, { throwIfNoEntry: false }),
  );
  if (there.length > 0 && process.geteuid?.() !== 0) {
    throw new InstallError('only root can remove it: run this with sudo');
  }
  for (const path of there) rmSync(path, { recursive: true, force: true });
  return there;
}

function put(path: string, text: string, mode: number): void {
  const draft = `${path}.new.${process.pid}`;
  writeFileSync(draft, text, { mode, flag: 'wx' });
  chmodSync(draft, mode); // whatever the umask
  renameSync(draft, path);
}

function assertOnlyRootChanges(path: string): void {
  for (let at = path; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (!found) throw new InstallError(`${at} is missing`);
    if (found.uid !== 0 || (found.mode & 0o022) !== 0) {
      throw new InstallError(
        `${at} can be changed by others than root, who would be root through the helper; as root: chown root ${at} && chmod go-w ${at}`,
      );
    }
    if (at === '/') return;
  }
}
