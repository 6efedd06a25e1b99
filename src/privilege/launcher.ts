import { spawnSync } from 'node:child_process';
import { findExecutable } from './executable.js';

/**
 * How a child gets root's rights, and how it is kept from outliving its owner. Chosen once, at start.
 *
 *   root   the server is root already. `setpriv --pdeathsig KILL` from util-linux asks the kernel to kill the
 *          child when the thread that started it dies, for whatever reason; it then becomes bpftrace itself.
 *   sudo   a rule without a password. The parent-death signal does not survive sudo's change of user, so
 *          `timeout` from coreutils, running as root, holds a deadline of its own.
 *   none   tools that need root say what to do.
 */
type PrivilegeMode = 'root' | 'sudo' | 'none';

export interface Launcher {
  readonly mode: PrivilegeMode;
  /** The kernel ends the child when the server dies: yes, or only its own deadline does. */
  readonly diesWithServer: boolean;
  /** Command and arguments that run `command args` with root's rights, for `lifetimeMs` at the very most. */
  wrap(command: string, args: readonly string[], lifetimeMs: number): { command: string; args: string[] };
}

export function chooseLauncher(env: NodeJS.ProcessEnv): Launcher {
  const setpriv = findExecutable('setpriv', env);
  const timeout = findExecutable('timeout', env);
  const dyingWithParent = (command: string, args: readonly string[]) =>
    setpriv
      ? { command: setpriv, args: ['--pdeathsig', 'KILL', '--', command, ...args] }
      : { command, args: [...args] };
  const dyingInTime = (command: string, args: readonly string[], lifetimeMs: number) =>
    timeout
      ? { command: timeout, args: ['--signal=KILL', String(Math.ceil(lifetimeMs / 1000)), command, ...args] }
      : { command, args: [...args] };

  if (process.geteuid?.() === 0) {
    return {
      mode: 'root',
      diesWithServer: setpriv !== undefined,
      wrap: (command, args, lifetimeMs) =>
        setpriv ? dyingWithParent(command, args) : dyingInTime(command, args, lifetimeMs),
    };
  }
  const sudo = findExecutable('sudo', env);
  if (sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore', timeout: 5000 }).status === 0) {
    return {
      mode: 'sudo',
      diesWithServer: false,
      wrap: (command, args, lifetimeMs) => {
        const timed = dyingInTime(command, args, lifetimeMs);
        return { command: sudo, args: ['-n', '--', timed.command, ...timed.args] };
      },
    };
  }
  return { mode: 'none', diesWithServer: false, wrap: (command, args) => ({ command, args: [...args] }) };
}
