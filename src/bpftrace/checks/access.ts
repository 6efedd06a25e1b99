import { isThroughSudo, type Launcher } from '../../privilege/launcher.js';
import { refusalIn } from '../../privilege/sudo.js';
import { childEnvironment, TRACE_ARGS } from '../spawn-plan.js';
import { type CommandOptions, type CommandResult, runCommand } from './command.js';
import { type Credentials, mayUseBpf } from './credentials.js';
import { type Check, notYes, yes } from './types.js';

/**
 * With what rights bpftrace runs, found out by running it the way the server would. The rights are not
 * asked about beforehand because no question predicts the answer: 0.17 and 0.23 insist on uid 0 even with
 * every capability, 0.27 wants four of them, a container's seccomp filter can refuse what capabilities
 * allow, and sudo may answer from credentials cached for a terminal that the server does not have.
 */
export interface Access {
  launcher: Launcher;
  proof: CommandResult;
}

/** The whole way from source text to the kernel and back, in the shortest program that has one. */
const PROOF_PROGRAM = 'BEGIN { printf("ok\\n"); exit(); }';
export const PROOF_TIMEOUT_MS = 30_000;
/** Our own bound speaks first, and can say what happened; the launcher's is for when we are gone. */
const LIFETIME_MARGIN_MS = 2_000;

export async function tryAccess(bpftrace: string, launcher: Launcher): Promise<Access> {
  const options = { timeoutMs: PROOF_TIMEOUT_MS, stdin: PROOF_PROGRAM };
  return { launcher, proof: await runAs(launcher, bpftrace, TRACE_ARGS, options) };
}

/** Runs bpftrace the way the server does. */
export function runAs(
  launcher: Launcher,
  bpftrace: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const lifetimeMs = options.timeoutMs + LIFETIME_MARGIN_MS;
  return runCommand(launcher.plan(bpftrace, args, lifetimeMs, childEnvironment(process.env)), options);
}

export function provesTracing({ exitCode, stdout }: CommandResult): boolean {
  return exitCode === 0 && /^\{"type": ?"printf".*"ok\\n"\}$/m.test(stdout);
}

/** The proof got as far as bpftrace: sudo, where it is in between, let it through. */
export function reachesBpftrace({ launcher, proof }: Access): boolean {
  return !isThroughSudo(launcher.mode) || refusalIn(proof.stderr) === undefined;
}

const SUDO_WORDS = {
  helper: 'through the installed helper',
  sudo: 'sudo without a password',
  sudo_password: 'sudo with the password it was given',
} as const;
/** What a person can do about a server that has no rights. */
const ALLOW =
  'run the server as root, or as root run `bpftrace-mcp helper install` for its user, or give it the password for sudo (terminal, SUDO_ASKPASS, BPFTRACE_PASSWD)';

export function privilegesCheck(
  access: Access | undefined,
  mode: Launcher['mode'],
  credentials: Credentials,
): Check {
  const ok = (detail: string) => yes('privileges', true, detail);
  const no = (detail: string, action: string) => notYes('privileges', true, 'no', detail, action);
  const traces = access !== undefined && provesTracing(access.proof);
  const user = `uid ${credentials.uid}`;
  switch (mode) {
    case 'root':
      if (traces) return ok('root');
      if (credentials.inUserNamespace) {
        return no(
          'root of a user namespace only, for whom the kernel loads no tracing programs',
          'run the server outside the rootless container or user namespace',
        );
      }
      if (mayUseBpf(credentials.effective)) return ok('root');
      return no(
        'root, but without CAP_SYS_ADMIN, and without CAP_BPF and CAP_PERFMON',
        'give the container CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8), or run it privileged',
      );
    case 'capabilities':
      return ok(`${user}, with the capabilities that this bpftrace asks for`);
    case 'helper':
    case 'sudo':
    case 'sudo_password':
      if (!access || reachesBpftrace(access)) return ok(`${user}, ${SUDO_WORDS[mode]}`);
      return no(
        `${user}, ${SUDO_WORDS[mode]}, which is refused now`,
        `see what it says, then restart: ${ALLOW}`,
      );
    case 'none': {
      // The engine refuses programs in this mode; a yes would promise what the server does not do.
      if (traces)
        return no(
          `bpftrace runs for ${user} as it is, but the server uses it as root or by sudo only`,
          ALLOW,
        );
      if (!access) {
        return notYes(
          'privileges',
          true,
          'unknown',
          `${user}, no sudo without a password; bpftrace's own privileges cannot be tried`,
          'see bpftrace, then run this again',
        );
      }
      const noSudo = access.launcher.wrongPassword
        ? 'and sudo does not take the password that was given'
        : 'no sudo without a password';
      // Tried: 0.17 and 0.23 want uid 0 whatever the capabilities; 0.27 names the one it misses first.
      return no(
        mayUseBpf(credentials.effective)
          ? `${user} with CAP_BPF and CAP_PERFMON, which is not enough for this bpftrace; ${noSudo}`
          : `${user}, ${noSudo}`,
        mayUseBpf(credentials.effective)
          ? `${ALLOW}; bpftrace 0.27 would do with CAP_DAC_READ_SEARCH and CAP_DAC_OVERRIDE as well`
          : ALLOW,
      );
    }
  }
}
