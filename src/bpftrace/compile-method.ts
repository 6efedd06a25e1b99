import { atLeast, type BpftraceVersion } from './version.js';

/**
 * How to have a program compiled and nothing else: nothing is attached, nothing loaded, BEGIN does not run. No
 * release offers that under one name, and what one takes for a dry run is not one to another:
 *
 *   0.17 to 0.23  `--emit-elf FILE` writes the object file and ends. (0.17 has `-d` too; from 0.22 on `-d STAGE`
 *                 goes on to run the program. `--dry-run`, from 0.22 on, attaches.)
 *   0.24 on       `--emit-elf` goes on to attach and run (0.27). `--mode codegen` ends after compiling, and also
 *                 refuses attach points that match nothing. A release that does not know it yet refuses the option
 *                 before it reads the program.
 */
export interface CompileMethod {
  /** The program comes on standard input. */
  args: readonly string[];
  /** In words, for whoever asked. */
  name: string;
  /** A program that compiles has attach points that are all there. */
  findsProbes: boolean;
}

export function compileMethod(version: BpftraceVersion): CompileMethod | undefined {
  if (atLeast(version, '0.24'))
    return { args: ['--mode', 'codegen', '-'], name: '--mode codegen', findsProbes: true };
  if (!atLeast(version, '0.17')) return undefined; // Not tried: it might run the program.
  return { args: ['-f', 'json', '--emit-elf', '/dev/null', '-'], name: '--emit-elf', findsProbes: false };
}

/** What bpftrace says of a command line that it does not take; it has not looked at the program then. */
export function isUsageError(stdout: string, stderr: string): boolean {
  return /^USAGE:/m.test(stdout + stderr) || /unrecognized option|Invalid mode|Unknown mode/i.test(stderr);
}
