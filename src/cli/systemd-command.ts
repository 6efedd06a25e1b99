import { fileURLToPath } from 'node:url';
import { type Config, ConfigError, type SettingName } from '../config.js';
import { UNIT_SOCKET, unitOf } from './systemd.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Why a unit would not find what it starts. */
export function hiddenFromUnit(path = MAIN): string | undefined {
  if (!/^\/(var\/)?tmp\//.test(path)) return undefined;
  return `${path} lies below a folder that the unit does not see (PrivateTmp=yes): install bpftrace-mcp elsewhere, below /opt for example, and print the unit from there`;
}

/**
 * `bpftrace-mcp systemd`: prints a unit for the settings that are given as flags. Where neither --unix nor --http is
 * among them, it serves on a socket below /run.
 * @param load a configuration of such flags, checked
 */
export function systemd(
  flags: Partial<Record<SettingName, string>>,
  load: (flags: Partial<Record<SettingName, string>>) => Config,
): string {
  const whole =
    flags.unix === undefined && flags.http === undefined ? { unix: UNIT_SOCKET, ...flags } : flags;
  const config = load(whole);
  for (const name of ['unix', 'tokens', 'auditLog'] as const) {
    if (config[name] !== '' && !config[name].startsWith('/'))
      throw new ConfigError(`${config[name]}: in a unit, paths begin with /`);
  }
  if (config.stdio === 'on') throw new ConfigError('--stdio on: a service has nobody at its standard input');
  return unitOf({ node: process.execPath, main: MAIN, config, flags: whole });
}
