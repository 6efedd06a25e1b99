import { z } from 'zod';
import { LINE_BYTES_MAX } from './contract/ring.js';
import { parseLimits } from './guard/limits.js';
import { PROFILES } from './policy/policy.js';
import { isPatternList } from './policy/probe-lists.js';
import { problemOfCgroups, problemOfPids } from './policy/scope/scope.js';
import { isLoopback, parseAddress, servingSettings } from './serving.js';

/**
 * Every setting, once: what it means, its range, its default. Flags (`--grace-s 5`), environment variables
 * (`BPFTRACE_MCP_GRACE_S=5`), the help text and the README's table all come from here. A flag wins over a variable.
 */
const seconds = (min: number, max: number) => z.coerce.number().min(min).max(max);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const onOff = z.enum(['on', 'off']).default('off');

/** A value's problem in words, found by looking at this host. */
const reportedBy =
  (problemOf: (value: string) => string | undefined) => (value: string, context: z.RefinementCtx) => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };

const PATTERNS = 'must be patterns that begin with a probe type, parted by commas';

export const settings = z.object({
  bpftrace: z
    .string()
    .min(1)
    .default('bpftrace')
    .describe('the bpftrace to run: a name looked up on PATH, or a path (a wrapper script must end in exec)'),
  policy: z
    .enum(PROFILES)
    .default('observe')
    .describe(
      'what a program may do (see "What a program may do"); `run` takes full where nothing else is set',
    ),
  allowProbes: z
    .string()
    .default('')
    .refine(isPatternList, PATTERNS)
    .describe(
      'the only probes that a program may attach to, as patterns parted by commas: tracepoint:*,kprobe:vfs_*',
    ),
  denyProbes: z
    .string()
    .default('')
    .refine(isPatternList, PATTERNS)
    .describe('probes that no program may attach to, as patterns parted by commas'),
  scopePids: z
    .string()
    .default('')
    .superRefine(reportedBy(problemOfPids))
    .describe(
      'the only processes whose events programs may report, as pids parted by commas (see "A scope"); with observe only',
    ),
  scopeCgroups: z
    .string()
    .default('')
    .superRefine(reportedBy(problemOfCgroups))
    .describe(
      'likewise, and besides: those in these control groups, as paths parted by commas: /sys/fs/cgroup/system.slice',
    ),
  concurrency: z
    .union([z.literal('auto'), whole(1, 256)])
    .default('auto')
    .describe(
      'executions that run at once; auto: 4 a processor, and no more than there is memory for (see "Bounds")',
    ),
  standby: whole(0, 16)
    .default(1)
    .describe(
      'bpftraces that are started before there is a program for them (see "Standing by"), within --concurrency; 0: none',
    ),
  queueLimit: whole(0, 100_000)
    .default(256)
    .describe(
      'executions that may wait; one more is refused as busy, unless it is the only one of its client that waits',
    ),
  defaultTimeoutS: seconds(0.1, 86_400)
    .default(10)
    .describe('deadline of a program that asks for none, in seconds'),
  maxTimeoutS: seconds(0.1, 86_400).default(60).describe('longest deadline a client may ask for, in seconds'),
  startTimeoutS: seconds(0.1, 600)
    .default(60)
    .describe('how long a program may take to compile and attach, in seconds'),
  graceS: seconds(0.1, 60)
    .default(5)
    .describe('after SIGINT, how long a child that shows no progress is left before SIGKILL, in seconds'),
  graceMaxS: seconds(0.1, 600)
    .default(60)
    .describe('after SIGINT, how long any child is left before SIGKILL, in seconds'),
  maxLines: whole(1, 1_000_000).default(10_000).describe('lines kept of an execution; the newest win'),
  maxOutputBytes: whole(2 * LINE_BYTES_MAX, 1_073_741_824)
    .default(4_194_304)
    .describe('bytes of lines kept of an execution; the newest win'),
  maxMapBytes: whole(65_536, 67_108_864)
    .default(1_048_576)
    .describe('bytes of maps kept of an execution; the largest values win'),
  maxProgramBytes: whole(64, 16_777_216).default(65_536).describe('longest program accepted, in bytes'),
  maxProbes: whole(0, 100_000)
    .default(0)
    .describe(
      'probes that a program may attach to, and BPF programs; no program can raise it; 0: as bpftrace has it (512 or 1024)',
    ),
  maxOpenPerClient: whole(0, 100_000)
    .default(0)
    .describe('executions of one client that may run or wait; 0: as many as the queue takes'),
  maxRunningPerClient: whole(0, 256)
    .default(0)
    .describe('executions of one client that run at once, others of it wait; 0: as many as run at all'),
  maxPerMinutePerClient: whole(0, 1_000_000)
    .default(0)
    .describe('executions that one client may hand in a minute; 0: no bound'),
  share: z
    .enum(['on', 'off'])
    .default('on')
    .describe('clients that hand in the same program at once share one bpftrace (see "Sharing")'),
  floodBytesPerS: whole(0, 1_073_741_824)
    .default(10_485_760)
    .describe(
      'a program from which bpftrace prints more than that, as JSON, for --flood-s, is ended with what it has; 0: never',
    ),
  floodS: seconds(1, 86_400)
    .default(30)
    .describe('how long a program may print more than --flood-bytes-per-s without a pause, in seconds'),
  hostGuard: z
    .string()
    .default('memory:40,load:50,available:128')
    .refine(text => parseLimits(text) !== undefined, 'must be off, or limits such as memory:40,available:128')
    .describe(
      'when programs are refused, and running ones ended, because the machine is in distress (see "Bounds"); off: never',
    ),
  auditLog: z
    .string()
    .default('')
    .describe('a file to which each submission and each outcome is appended as a line of JSON'),
  auditPrograms: onOff.describe('the texts of programs stand in the audit file too, not only their hashes'),
  auditRequired: onOff.describe('a program that could not be written to the audit file is refused'),
  auditMaxBytes: whole(4096, 1_099_511_627_776)
    .default(67_108_864)
    .describe('an audit file that has grown to this is put aside, in bytes'),
  auditFiles: whole(1, 1000).default(5).describe('audit files kept beside the one that is written'),
  resultTtlS: seconds(1, 604_800)
    .default(3600)
    .describe('how long a result is kept after the execution has ended, in seconds'),
  maxResults: whole(1, 1_000_000)
    .default(4096)
    .describe('finished executions kept; beyond it, the client that holds the most loses its oldest'),
  maxResultsBytes: whole(1_048_576, 1_099_511_627_776)
    .default(268_435_456)
    .describe(
      'bytes of finished executions kept in all; beyond it, the client that holds the most loses its oldest',
    ),
  maxResultsBytesPerClient: whole(0, 1_099_511_627_776)
    .default(0)
    .describe('bytes of finished executions kept of one client; its oldest go first; 0: no bound of its own'),
  ...servingSettings,
  record: z
    .string()
    .default('')
    .describe(
      'a folder in which everything that is traced is kept, to be replayed (see "Record and replay")',
    ),
  recordMaxBytes: whole(1_048_576, 1_099_511_627_776)
    .default(1_073_741_824)
    .describe('of the recording of one program; one that grows beyond it is given up, the program is not'),
  replay: z
    .string()
    .default('')
    .describe('a folder with recordings, which are served in place of this host: no bpftrace, no root'),
  replayPace: z
    .enum(['recorded', 'fast'])
    .default('recorded')
    .describe('whether a replay takes as long as what was recorded, or no time'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('what is logged to standard error: trace, debug, info, warn, error, fatal or silent'),
});

export type Config = Readonly<z.output<typeof settings>>;
export type SettingName = keyof Config;
export const settingNames = Object.keys(settings.shape) as SettingName[];

/** `maxLines` → `max-lines`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** `maxLines` → `BPFTRACE_MCP_MAX_LINES`. */
export function variableOf(name: string): string {
  return `BPFTRACE_MCP_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/** A setting that was refused: `message` names the flag or the variable, the reason and the allowed range. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * One frozen configuration from flags (by setting name) and environment variables.
 * @throws ConfigError for a value outside its range
 */
export function loadConfig(flags: Partial<Record<string, string>>, env: NodeJS.ProcessEnv): Config {
  const raw: Record<string, string> = {};
  const origin: Record<string, string> = {};
  for (const name of settingNames) {
    const variable = variableOf(name);
    const value = flags[name] ?? env[variable];
    if (value === undefined) continue;
    const place = flags[name] === undefined ? variable : `--${flagOf(name)}`;
    // Number('') is 0, which would pass for one.
    if (value.trim() === '') throw new ConfigError(`${place} is empty`);
    raw[name] = value;
    origin[name] = flags[name] === undefined ? `${place}=${value}` : `${place} ${value}`;
  }
  return resolveConfig(raw, origin);
}

/**
 * The settings that are given, the defaults of the others, and what holds between them.
 * @param origin how each given setting was written, for the error
 * @throws ConfigError for an unknown setting or a value outside its range
 */
export function resolveConfig(given: object, origin: Record<string, string> = {}): Config {
  const parsed = settings.strict().safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(issue => problemOf(issue, origin)).join('\n'));
  const config = parsed.data;
  if (config.defaultTimeoutS > config.maxTimeoutS) {
    if ('defaultTimeoutS' in given) {
      const written = origin.defaultTimeoutS ?? `defaultTimeoutS ${config.defaultTimeoutS}`;
      throw new ConfigError(`${written}: must not be above the longest deadline, ${config.maxTimeoutS} s`);
    }
    config.defaultTimeoutS = config.maxTimeoutS;
  }
  if (config.policy !== 'observe' && (config.scopePids !== '' || config.scopeCgroups !== '')) {
    throw new ConfigError(
      `--scope-pids and --scope-cgroups can be kept with --policy observe only: a program under ${config.policy} reads files of every process`,
    );
  }
  if (config.auditRequired === 'on' && config.auditLog === '') {
    throw new ConfigError('--audit-required on: there is no --audit-log to write to');
  }
  const address = parseAddress(config.http);
  if (address && !isLoopback(address.host) && config.tokens === '') {
    throw new ConfigError(
      `--http ${config.http}: beyond loopback nobody is served without a token: give --tokens a file (\`bpftrace-mcp token add\`)`,
    );
  }
  if (config.record !== '' && config.replay !== '') {
    throw new ConfigError('--record and --replay: what is replayed can not be recorded');
  }
  if (config.replay !== '') {
    // Nothing runs: there is nothing to keep ready, and no load that the machine would have to be kept from.
    config.standby = 0;
    config.hostGuard = 'off';
  }
  config.graceMaxS = Math.max(config.graceMaxS, config.graceS);
  return Object.freeze(config);
}

function problemOf(issue: z.core.$ZodIssue, origin: Record<string, string>): string {
  if (issue.code === 'unrecognized_keys') return `there is no setting ${issue.keys.join(', ')}`;
  const name = String(issue.path[0]);
  const { description } = settings.shape[name as SettingName];
  return `${origin[name] ?? name}: ${rangeOf(name) ?? issue.message}; it is ${description}`;
}

/** The allowed range in words, from the schema itself. */
export function rangeOf(name: string): string | undefined {
  const range = rangeIn(z.toJSONSchema(settings.shape[name as SettingName], { io: 'output' }));
  return range === undefined ? undefined : `must be ${range}`;
}

function rangeIn(schema: z.core.JSONSchema.BaseSchema): string | undefined {
  if (schema.anyOf) return schema.anyOf.map(one => rangeIn(one)).join(' or ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  if (schema.minimum === undefined) return undefined;
  return `a ${schema.type === 'integer' ? 'whole ' : ''}number from ${schema.minimum} to ${schema.maximum}`;
}
