import { userInfo } from 'node:os';
import { findExecutable } from './executable.js';
import { dumpNoMemory } from './forget.js';
import { chooseLauncher, type Launcher, tryPassword } from './launcher.js';
import { passwordFromAskpass, passwordFromVariable } from './password.js';
import { Terminal } from './terminal.js';

export type { Launcher } from './launcher.js';

/** The person may be away; the client waits for an answer to its first message. */
const ASK_BOUND_MS = 45_000;
const TRIES = 3;

/**
 * The launcher for this process, after asking for a password where sudo wants one and somebody can be asked:
 * the variable `BPFTRACE_PASSWD`, then the program `SUDO_ASKPASS`, then the terminal. Asked once; what is given is
 * kept in memory and nowhere else.
 *
 * @param bpftrace name or path of the bpftrace to be run
 */
export async function gainPrivilege(bpftrace: string, mayAsk = true): Promise<Launcher> {
  const { env } = process;
  const launcher = launcherFor(bpftrace);
  if (launcher.mode !== 'none' || !findExecutable('sudo', env)) return launcher;
  const password = passwordFromAskpass(env) ?? (mayAsk ? await askOnTerminal() : undefined);
  return password === undefined ? launcher : launcherFor(bpftrace, password);
}

/** The same, but nobody is asked anything. */
export function launcherFor(bpftrace: string, password = passwordFromVariable()): Launcher {
  const bpftracePath = findExecutable(bpftrace, process.env);
  return chooseLauncher(process.env, { bpftracePath, password });
}

async function askOnTerminal(): Promise<string | undefined> {
  const terminal = Terminal.open();
  if (!terminal) return undefined;
  dumpNoMemory();
  const until = performance.now() + ASK_BOUND_MS;
  const prompt = `bpftrace-mcp: bpftrace needs root. [sudo] password for ${userInfo().username}: `;
  try {
    for (let tries = 1; tries <= TRIES; tries++) {
      const password = await terminal.askHidden(prompt, until - performance.now());
      if (!password) break;
      const answer = tryPassword(process.env, password);
      if (answer === 'yes') return password;
      if (answer !== 'wrong_password') {
        terminal.say('bpftrace-mcp: sudo does not let this user run bpftrace.\n');
        return undefined;
      }
      terminal.say(tries < TRIES ? 'Sorry, try again.\n' : '');
    }
    terminal.say('bpftrace-mcp: going on without root: what needs it will be refused.\n');
    return undefined;
  } finally {
    terminal.close();
  }
}
