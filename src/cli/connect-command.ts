import type { Command } from 'commander';
import { ConfigError } from '../config.js';

/** `bpftrace-mcp connect`, for a client that knows stdio only. */
export function addConnectCommand(root: Command): void {
  root
    .command('connect')
    .description('serve on standard input and output what a shared server on this host or elsewhere serves')
    .option('--unix <path>', 'its Unix socket')
    .option('--http <url>', 'its URL, such as http://127.0.0.1:7077/mcp')
    .option('--token-file <path>', 'a file with a bearer token, which others must not be able to read')
    .action(async flags => {
      if ((flags.unix === undefined) === (flags.http === undefined)) {
        throw new ConfigError('say where the shared server is: --unix PATH or --http URL');
      }
      const { connect } = await import('./connect.js');
      process.exitCode = await connect(flags);
    });
}
