import { existsSync, readFileSync } from 'node:fs';
import { findExecutable } from '../../src/privilege/executable.js';
import { install, planInstall, remove } from '../../src/privilege/helper/install.js';
import { pinnedText } from '../../src/privilege/helper/pins.js';
import { HELPER_PATH, RULE_PATH } from '../../src/privilege/helper/place.js';
import { SUPERVISOR_FILE } from '../../src/privilege/sudo.js';
import { isAlive } from './processes.js';
import { BPFTRACE } from './server.js';
import { makerOf, type TestUser } from './sudo-users.js';

export const BPFTRACE_PATH = findExecutable(BPFTRACE, process.env) ?? '/usr/bin/bpftrace';

/** Another release of bpftrace may stand in a system of its own, behind a script that goes there. */
export const OWN_ROOT = chrootOf(BPFTRACE_PATH);

/** The real helper of this machine is not a test's to replace; what a test left that was cut off is. */
export function whyNoHelper(): string | false {
  if (!existsSync(HELPER_PATH) && !existsSync(RULE_PATH)) return false;
  const owner = existsSync(RULE_PATH) && makerOf(readFileSync(RULE_PATH, 'utf8'));
  if (!owner || isAlive(owner)) return 'a helper is installed on this machine';
  remove();
  return false;
}

/** Installs the helper for a user; gives back what removes it. */
export function installHelperFor(user: TestUser, slots: number): () => void {
  const choices = { bpftracePath: BPFTRACE_PATH, slots, maxTimeoutS: 60, userSymbols: false };
  const plan = planInstall({ users: [user.name], groups: [] }, choices);
  const chroot = OWN_ROOT;
  if (chroot) {
    plan.pins.run.push(chroot);
    plan.pins.temp.push(`${chroot}/tmp`);
    plan.pins.capabilities['18'] = 1;
    plan.helper = pinnedText(readFileSync(SUPERVISOR_FILE, 'utf8'), plan.pins);
  }
  install(plan);
  return remove;
}

function chrootOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path).subarray(0, 1000).toString('latin1');
  return text.startsWith('#!') ? /\bchroot (\S+)/.exec(text)?.[1] : undefined;
}
