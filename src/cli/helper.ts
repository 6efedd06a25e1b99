import { askBpftrace } from '../bpftrace/ask.js';
import { runAs } from '../bpftrace/checks/access.js';
import { TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import { findExecutable } from '../privilege/executable.js';
import { type Grantees, InstallError, install, planInstall, remove } from '../privilege/helper/install.js';
import { HELPER_PATH, installedFor, RULE_PATH } from '../privilege/helper/place.js';
import { helperLauncher } from '../privilege/launcher.js';
import { EXIT } from './exit-codes.js';

interface InstallOptions extends Grantees {
  bpftrace: string;
  slots: number;
  maxTimeoutS: number;
  userSymbols: boolean;
  dryRun: boolean;
}

const PROOF_BOUND_MS = 30_000;
const PROOF = 'BEGIN { printf("ok\\n"); exit(); }';
/** Somebody reads something on every host, and this very process does. */
const STACK_PROOF =
  'tracepoint:syscalls:sys_enter_read { @[ustack(1)] = count(); } interval:ms:300 { exit(); } END { printf("ok\\n"); }';

/** `bpftrace-mcp helper install`: says what it does, does it, and tries it. Resolves to the exit code. */
export async function installHelper(options: InstallOptions): Promise<number> {
  return told(async say => {
    const bpftracePath = findExecutable(options.bpftrace, process.env);
    if (!bpftracePath) throw new InstallError(`there is no ${options.bpftrace} here; install bpftrace first`);
    const plan = planInstall(options, { ...options, bpftracePath });
    if (options.dryRun) {
      say(`${RULE_PATH}:\n\n${plan.rule}\n${HELPER_PATH}:\n\n${plan.helper}`);
      return;
    }
    install(plan);
    say(
      `${HELPER_PATH}  runs ${bpftracePath} and nothing else, ${options.slots} at once, ${plan.pins.lifetime_s} s each`,
    );
    say(
      `${RULE_PATH}  lets ${[...options.users, ...options.groups.map(name => `%${name}`)].join(', ')} run it`,
    );
    await tryHelper(bpftracePath, say);
  });
}

/** `bpftrace-mcp helper remove`. */
export async function removeHelper(): Promise<number> {
  return told(async say => {
    const removed = remove();
    say(removed.length > 0 ? `removed ${removed.join(', ')}` : 'nothing was installed');
  });
}

/** `bpftrace-mcp helper status`. */
export async function helperStatus(): Promise<number> {
  return told(async say => {
    const path = installedFor();
    if (!path)
      throw new InstallError('no helper is installed here: `bpftrace-mcp helper install` does that, as root');
    say(`${HELPER_PATH}  runs ${path}`);
    await tryHelper(path, say);
  });
}

/** As the user who asks: root needs no rule, but goes the same way. */
async function tryHelper(bpftracePath: string, say: (text: string) => void): Promise<void> {
  const launcher = helperLauncher(process.env);
  if (!launcher) throw new InstallError('sudo does not let this user run it: install it for this user');
  const prove = async (program: string): Promise<string | undefined> => {
    const { stdout, stderr, exitCode } = await runAs(launcher, bpftracePath, TRACE_ARGS, {
      timeoutMs: PROOF_BOUND_MS,
      stdin: program,
    });
    if (exitCode === 0 && /"ok\\n"/.test(stdout)) return undefined;
    return stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`;
  };
  const failure = await prove(PROOF);
  if (failure) throw new InstallError(`bpftrace does not run behind it: ${failure}`);
  const { stdout } = await askBpftrace(launcher, bpftracePath, ['--version']);
  say(`tried: ${stdout.trim()} traces behind it`);
  const withoutStacks = await prove(STACK_PROOF);
  if (withoutStacks) {
    say(
      `note: a program that prints user stacks (ustack) fails behind it: ${withoutStacks}\n      install it with --user-symbols if you need those; programs can then read files as root`,
    );
  }
}

async function told(act: (say: (text: string) => void) => Promise<void>): Promise<number> {
  try {
    await act(text => process.stdout.write(`${text}\n`));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    process.stderr.write(`bpftrace-mcp helper: ${error.message}\n`);
    return EXIT.unable;
  }
}
