import { randomBytes } from 'node:crypto';
import type { SpawnPlan } from '../contract/trace.js';
import { canTraceByCapabilities } from './capabilities.js';
import { findExecutable } from './executable.js';
import { HELPER_PATH, installedFor } from './helper/place.js';
import { type Admission, admissionOf, SUPERVISOR_COMMAND, sudoCommand } from './sudo.js';

/**
 * How bpftrace gets root's rights, and how it is kept from outliving its owner. A ladder, tried from the top:
 *
 *   root           the server is root already. `setpriv --pdeathsig KILL` from util-linux asks the kernel to kill
 *                  the child when the thread that started it dies, for whatever reason; it then becomes bpftrace.
 *   capabilities   the server is not root and has capabilities that this bpftrace is content with; otherwise as root.
 *   helper         `bpftrace-mcp helper install` was run here: a sudo rule without a password for one root-owned
 *                  program, which traces and does nothing else.
 *   sudo           a sudo rule without a password.
 *   sudo_password  a sudo rule with a password, which the server has been given.
 *   none           tools that need root say what to do.
 *
 * With helper, sudo and sudo_password a supervisor stands between sudo and bpftrace (supervisor.pl): it relays
 * signals that the kernel would not let us send, and kills bpftrace when we are gone.
 */
export type PrivilegeMode = 'root' | 'capabilities' | 'helper' | 'sudo' | 'sudo_password' | 'none';

export interface Launcher {
  readonly mode: PrivilegeMode;
  /** bpftrace ends when the server dies, however that happens: yes, or only its own deadline does it. */
  readonly diesWithServer: boolean;
  /** With mode `none`: a password was given, and sudo does not take it. */
  readonly wrongPassword?: true;
  /**
   * How to run `path args` with root's rights, for `lifetimeMs` at the very most. `env` is all of bpftrace's environment.
   * @param standbyMs it may wait so long for its program, before its lifetime begins
   */
  plan(
    path: string,
    args: readonly string[],
    lifetimeMs: number,
    env: Record<string, string>,
    standbyMs?: number,
  ): SpawnPlan;
}

export interface Means {
  /** The bpftrace to be run, for what depends on it. */
  bpftracePath: string | undefined;
  /** Of the server's user, for sudo. */
  password?: string | undefined;
}

/** Climbs the ladder. Takes up to a second where sudo has to be asked; asks no person anything. */
export function chooseLauncher(env: NodeJS.ProcessEnv, means: Means): Launcher {
  if (process.geteuid?.() === 0) return direct('root', env);
  const { bpftracePath, password } = means;
  if (bpftracePath && canTraceByCapabilities(bpftracePath)) return direct('capabilities', env);
  const sudo = findExecutable('sudo', env);
  if (!sudo) return NONE;
  const helper = bpftracePath && installedFor() === bpftracePath ? helperLauncher(env) : undefined;
  if (helper) return helper;
  const command = SUPERVISOR_COMMAND;
  if (admissionOf(sudo, command) === 'yes') return supervised('sudo', sudo, command, '');
  if (password === undefined) return NONE;
  const answer = admissionOf(sudo, command, password);
  if (answer === 'yes') return supervised('sudo_password', sudo, command, password);
  return answer === 'wrong_password' ? { ...NONE, wrongPassword: true } : NONE;
}

/** Through the installed helper; undefined where sudo does not let this user run it. */
export function helperLauncher(env: NodeJS.ProcessEnv): Launcher | undefined {
  const sudo = findExecutable('sudo', env);
  if (!sudo || admissionOf(sudo, [HELPER_PATH]) !== 'yes') return undefined;
  return supervised('helper', sudo, [HELPER_PATH], '');
}

/** What sudo says to a password; `no`: it lets this user run nothing here, or there is no sudo. */
export function tryPassword(env: NodeJS.ProcessEnv, password: string): Admission {
  const sudo = findExecutable('sudo', env);
  return sudo ? admissionOf(sudo, SUPERVISOR_COMMAND, password) : 'no';
}

/** Whether it is bpftrace's own standard error that is read, or there is sudo in front that may speak first. */
export function isThroughSudo(mode: PrivilegeMode): boolean {
  return mode === 'helper' || mode === 'sudo' || mode === 'sudo_password';
}

const NONE: Launcher = {
  mode: 'none',
  diesWithServer: false,
  plan: (command, args, _lifetimeMs, env) => ({ command, args: [...args], env }),
};

function direct(mode: 'root' | 'capabilities', env: NodeJS.ProcessEnv): Launcher {
  const setpriv = findExecutable('setpriv', env);
  const timeout = findExecutable('timeout', env);
  return {
    mode,
    diesWithServer: setpriv !== undefined,
    plan: (path, args, lifetimeMs, childEnv, standbyMs = 0) => {
      const command = [path, ...args];
      if (setpriv) command.unshift(setpriv, '--pdeathsig', 'KILL', '--');
      else if (timeout)
        command.unshift(timeout, '--signal=KILL', String(Math.ceil((standbyMs + lifetimeMs) / 1000)));
      const [file = path, ...rest] = command;
      return { command: file, args: rest, env: childEnv };
    },
  };
}

function supervised(
  mode: 'helper' | 'sudo' | 'sudo_password',
  sudo: string,
  command: readonly string[],
  password: string,
): Launcher {
  return {
    mode,
    diesWithServer: true,
    plan: (path, args, lifetimeMs, env, standbyMs) => {
      // The supervisor has the rest of an environment itself.
      const settings = Object.fromEntries(
        Object.entries(env).filter(([name]) => name.startsWith('BPFTRACE_')),
      );
      return {
        ...sudoCommand(sudo, command, mode === 'sudo_password'),
        supervised: {
          secret: mode === 'sudo_password' ? `${password}\n` : '',
          nonce: randomBytes(16).toString('hex'),
          path,
          args,
          env: settings,
          lifetimeMs,
          ...(standbyMs !== undefined && { standbyMs }),
        },
      };
    },
  };
}
