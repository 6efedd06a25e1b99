import type { Command } from 'commander';
import { ConfigError } from '../config.js';
import { HELPER_SLOTS } from '../privilege/helper/pins.js';

/** `bpftrace-mcp helper …`, for root on a host where the server runs as somebody else. */
export function addHelperCommand(root: Command): void {
  const helper = root
    .command('helper')
    .description('a root-owned program that traces and does nothing else, for a server that is not root');
  const several = (value: string, before: string[]): string[] => [...before, value];
  helper
    .command('install')
    .description('install it, with a sudo rule for it (as root)')
    .option('--user <name>', 'who may use it; can be given several times', several, [])
    .option('--group <name>', 'a group that may use it; likewise', several, [])
    .option('--bpftrace <path>', 'the bpftrace that it runs', 'bpftrace')
    .option('--slots <number>', 'how many run at once', String(HELPER_SLOTS))
    .option('--max-timeout-s <number>', 'the longest deadline that it allows', '600')
    .option('--user-symbols', 'names in user stacks, at the price that programs can read files as root')
    .option('--dry-run', 'print what would be installed')
    .action(async flags => {
      const { installHelper } = await import('./helper.js');
      process.exitCode = await installHelper({
        users: flags.user,
        groups: flags.group,
        bpftrace: flags.bpftrace,
        slots: wholeNumber('--slots', flags.slots, 256),
        maxTimeoutS: wholeNumber('--max-timeout-s', flags.maxTimeoutS, 86_400),
        userSymbols: Boolean(flags.userSymbols),
        dryRun: Boolean(flags.dryRun),
      });
    });
  helper
    .command('remove')
    .description('remove it and its rule (as root)')
    .action(async () => {
      const { removeHelper } = await import('./helper.js');
      process.exitCode = await removeHelper();
    });
  helper
    .command('status')
    .description('say what is installed and try it')
    .action(async () => {
      const { helperStatus } = await import('./helper.js');
      process.exitCode = await helperStatus();
    });
}

function wholeNumber(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new ConfigError(`${flag} ${text}: must be a whole number from 1 to ${most}`);
}
