import { type Command, Option } from 'commander';
import { ConfigError } from '../config.js';
import { PROFILES } from '../policy/policy.js';

/** `bpftrace-mcp token …`: who may use a shared server. */
export function addTokenCommand(root: Command): void {
  const token = root.command('token').description('the bearer tokens of a shared server: add, list, remove');
  const file = () =>
    new Option('--tokens <file>', 'the token file').env('BPFTRACE_MCP_TOKENS').makeOptionMandatory();
  token
    .command('add')
    .description('make a token, append its hash to the file, and print it: it is shown only now')
    .argument('<name>', 'whose it is: executions, quotas and the audit file go by this name')
    .addOption(file())
    .addOption(new Option('--policy <profile>', 'no wider than the server').choices(PROFILES))
    .option('--expires <when>', 'a date (2027-01-31, or with a time), or a span such as 12h or 30d')
    .option('--concurrent <number>', 'programs that run at once')
    .option('--open <number>', 'programs that run or wait')
    .option('--per-minute <number>', 'programs submitted within a minute')
    .option('--result-bytes <number>', 'bytes of finished results kept')
    .action(async (name: string, flags) => {
      const { tokenAdd } = await import('./token.js');
      const expires = flags.expires === undefined ? undefined : momentOf(flags.expires);
      const limits = {
        concurrent: countOf('--concurrent', flags.concurrent),
        open: countOf('--open', flags.open),
        per_minute: countOf('--per-minute', flags.perMinute),
        result_bytes: countOf('--result-bytes', flags.resultBytes),
      };
      process.exitCode = tokenAdd(flags.tokens, { name, policy: flags.policy, expires, limits });
    });
  token
    .command('list')
    .description('say whose tokens there are, and on what terms')
    .addOption(file())
    .option('--json', 'print JSON, one object a line')
    .action(async flags => {
      const { tokenList } = await import('./token.js');
      process.exitCode = tokenList(flags.tokens, Boolean(flags.json));
    });
  token
    .command('remove')
    .description('take a token out of the file; a running server refuses it from then on')
    .argument('<name>')
    .addOption(file())
    .action(async (name: string, flags) => {
      const { tokenRemove } = await import('./token.js');
      process.exitCode = tokenRemove(flags.tokens, name);
    });
}

const SPAN_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Whatever else `Date.parse` takes it guesses at. */
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?))?$/;

function momentOf(text: string): string {
  const [, number, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const spanMs = SPAN_MS[unit];
  const at = spanMs === undefined ? dateOf(text) : Date.now() + Number(number) * spanMs;
  // Beyond, a date has a sign and six digits for its year, which no reader of the file takes.
  if (at >= Date.UTC(10_000)) throw new ConfigError(`--expires ${text}: must be before the year 10000`);
  if (at <= Date.now()) throw new ConfigError(`--expires ${text}: that is over already`);
  return new Date(at).toISOString();
}

function dateOf(text: string): number {
  const [, day, time] = DATE.exec(text) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(time === undefined ? day : `${day}T${time}`);
  if (day === undefined || Number.isNaN(at)) {
    throw new ConfigError(
      `--expires ${text}: must be a date such as 2027-01-31 or 2027-01-31T18:00, or a span such as 30d or 12h`,
    );
  }
  // The 31st of February is taken for the 3rd of March.
  if (!new Date(`${day}T00:00Z`).toISOString().startsWith(day))
    throw new ConfigError(`--expires ${text}: there is no such day`);
  return at;
}

function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new ConfigError(`${flag} ${text}: must be a whole number of at least 1`);
}
