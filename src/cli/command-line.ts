import { Command, CommanderError, Option } from 'commander';
import {
  type Config,
  ConfigError,
  flagOf,
  loadConfig,
  rangeOf,
  type SettingName,
  settingNames,
  settings,
  variableOf,
} from '../config.js';
import type { Profile } from '../policy/policy.js';
import { passwordFromVariable } from '../privilege/password.js';
import { RecordingError } from '../recording/folder.js';
import { servingNames } from '../serving.js';
import { VERSION } from '../version.js';
import { addConnectCommand } from './connect-command.js';
import { EXIT } from './exit-codes.js';
import { addHelperCommand } from './helper-command.js';
import { addTokenCommand } from './token-command.js';

/**
 * The commands. Each loads its own module when it runs: `doctor` needs no MCP, `--help` needs nothing.
 */
export function commandLine(): Command {
  const root = new Command('bpftrace-mcp')
    .description(
      'bpftrace for AI agents over the Model Context Protocol. Without a command it serves MCP on stdio.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help shows the usage)')
    .addHelpText(
      'after',
      '\nThe settings of serve, run and batch, each a flag and a variable: bpftrace-mcp serve --help',
    );

  withSettings(root.command('serve', { isDefault: true }))
    .description(
      'serve MCP on standard input and output (the default), or to many agents at once (--unix, --http)',
    )
    .allowExcessArguments()
    .action(async (flags, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) {
        const commands = root.commands.map(one => one.name()).join(', ');
        throw new ConfigError(`there is no command ${JSON.stringify(word)}; there are ${commands}`);
      }
      const config = configOf(flags);
      // The client's first answer needs little; the rest is loaded behind it.
      const stdio = servesStdio(config)
        ? await (await import('../mcp/stdio.js')).StdioFront.open(config)
        : undefined;
      try {
        const { serve } = await import('./serve.js');
        process.exitCode = await serve(config, stdio);
      } finally {
        await stdio?.close();
      }
    });

  withSettings(root.command('run'), runSettings)
    .description('run one program and print what it prints')
    .argument('[file]', 'a file with the program')
    .option('-e, --execute <program>', 'the program itself')
    .option('-t, --timeout <seconds>', 'deadline, from attached')
    .option('--json', 'print JSON, one object a line')
    .action(async (file: string | undefined, flags) => {
      const { run } = await import('./run.js');
      process.exitCode = await run(configOf({ ...ownPolicy(flags), ...flags }, runSettings), {
        file,
        ...flags,
      });
    });

  withSettings(root.command('batch'))
    .description('run many programs and write one result a line, as each ends')
    .argument(
      '<file>',
      'one JSON object a line, with the arguments of exec_program and an id; - for standard input',
    )
    .option('-o, --out <file>', 'where results go, instead of standard output')
    .option('--resume', 'go on with --out: what has its result there is not run again')
    .action(async (file: string, flags) => {
      const { batch } = await import('./batch/batch.js');
      process.exitCode = await batch(configOf({ ...ownPolicy(flags), ...flags }), { file, ...flags });
    });
  withSettings(root.command('doctor'), ['bpftrace'])
    .description('say what works on this host and what to do about what does not')
    .option('--fix', 'do what can be done: mount tracefs, install bpftrace')
    .option('--json', 'print the checks as JSON')
    .action(async flags => {
      const { doctor } = await import('./doctor.js');
      process.exitCode = await doctor({
        bpftracePath: configOf(flags, ['bpftrace']).bpftrace,
        fix: Boolean(flags.fix),
        json: Boolean(flags.json),
        out: process.stdout,
      });
    });

  withSettings(root.command('demo'), ['bpftrace'])
    .description(
      'trace this kernel for a few seconds through a real MCP server over stdio, and show what is said',
    )
    .action(async flags => {
      const { demo } = await import('../mcp/demo.js');
      process.exitCode = await demo(['--bpftrace', configOf(flags, ['bpftrace']).bpftrace]);
    });
  withSettings(root.command('systemd'))
    .description(
      'print a systemd unit that serves many, hardened, with the settings given as flags (default --unix /run/bpftrace-mcp/socket)',
    )
    .action(async flags => {
      const { hiddenFromUnit, systemd } = await import('./systemd-command.js');
      process.stdout.write(systemd(givenOf(flags), given => loadConfig(given, {})));
      const hidden = hiddenFromUnit();
      if (hidden) process.stderr.write(`${hidden}\n`);
    });
  addConnectCommand(root);
  addHelperCommand(root);
  addTokenCommand(root);
  return root;
}

/** Runs the command line; every way it can be wrong ends with the usage code and a reason on standard error. */
export async function main(argv: readonly string[]): Promise<void> {
  // Before anything else may look at the environment, or start something in it.
  passwordFromVariable();
  try {
    await commandLine().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else if (error instanceof ConfigError || error instanceof RecordingError) {
      process.stderr.write(`bpftrace-mcp: ${error.message}\n`);
      process.exitCode = EXIT.usage;
    } else {
      throw error;
    }
  }
}

function withSettings(command: Command, names: readonly SettingName[] = settingNames): Command {
  for (const name of names) {
    const schema = settings.shape[name];
    const initial = schema.parse(undefined);
    const range = rangeOf(name)?.replace(/^must be (?:a |one of )?/, '');
    const placeholder = typeof initial === 'number' ? '<number>' : '<value>';
    const notes = [range, `default ${initial}`, variableOf(name)].filter(Boolean).join('; ');
    command.addOption(new Option(`--${flagOf(name)} ${placeholder}`, `${schema.description} (${notes})`));
  }
  return command;
}

function servesStdio({ stdio, http, unix }: Config): boolean {
  return stdio === 'on' || (stdio === 'auto' && http === '' && unix === '');
}

/** Who may start `run` could start bpftrace as well, so it keeps them from nothing of its safe mode, unless asked to. */
function ownPolicy(flags: Record<string, unknown>): { policy?: Profile } {
  const asked: SettingName[] = ['policy', 'scopePids', 'scopeCgroups'];
  const isAsked = asked.some(name => (flags[name] ?? process.env[variableOf(name)]) !== undefined);
  return isAsked ? {} : { policy: 'full' };
}

/** How a server is reached is nothing to `run`. */
const runSettings = settingNames.filter(name => !(servingNames as readonly string[]).includes(name));

/** Only the settings that a command takes can keep it from running. */
function configOf(flags: Record<string, unknown>, names: readonly SettingName[] = settingNames): Config {
  const given = givenOf(flags);
  const env = Object.fromEntries(names.map(name => [variableOf(name), process.env[variableOf(name)]]));
  return loadConfig(given, env);
}

/** The settings among a command's flags. */
function givenOf(flags: Record<string, unknown>): Partial<Record<SettingName, string>> {
  const given: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const value = flags[name];
    if (typeof value === 'string') given[name] = value;
  }
  return given;
}
