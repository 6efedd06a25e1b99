import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { RuleName } from '../../../src/policy/rule.js';

/** Programs that try to get around the policy `observe`. */
export interface Attack {
  /** The rules of which one has to catch it. */
  rules: readonly RuleName[];
  program: string;
  /** With bpftrace itself it may print what stands in the secret file; which ones do differs by version. */
  isRead?: true;
}

/** Of one technique. `$S` in a program stands for the secret file, `$D` for its folder. */
export function attacks(rules: RuleName | readonly RuleName[], programs: readonly string[]): Attack[] {
  return programs.map(program => ({ rules: [rules].flat(), program }));
}

/** Likewise, of programs that may really read it. */
export function reads(rules: RuleName | readonly RuleName[], programs: readonly string[]): Attack[] {
  return attacks(rules, programs).map(attack => ({ ...attack, isRead: true }));
}

/** Its name has no digits: in a program that breaks its strings open, they would be numbers, or none. */
function newFolder(): string {
  const letters = [...randomBytes(12)].map(byte => String.fromCharCode(97 + (byte % 26))).join('');
  const folder = join(tmpdir(), `policy-${letters}`);
  mkdirSync(folder);
  return folder;
}

/** A file that only root can read, and what leads to it: links that everybody can read, a binary, a pipe. */
export class Secret {
  /** What clang tells of a line that is no C is its first word. */
  static readonly WORD = 'the_secret_of_root';
  readonly folder = newFolder();
  readonly file = join(this.folder, 'secret');

  constructor() {
    chmodSync(this.folder, 0o755);
    for (const name of ['secret', 'secret.h', 'secret.bt']) {
      writeFileSync(join(this.folder, name), `${Secret.WORD} 42\n`, { mode: 0o600 });
    }
    symlinkSync(this.file, join(this.folder, 'link'));
    symlinkSync('secret', join(this.folder, 'near-link'));
    symlinkSync(this.folder, join(this.folder, 'folder-link'));
    copyFileSync('/bin/true', join(this.folder, 'binary'));
    chmodSync(join(this.folder, 'binary'), 0o700);
    mkdirSync(join(this.folder, 'closed'), { mode: 0o700 });
    writeFileSync(join(this.folder, 'closed', 'file'), `${Secret.WORD} 42\n`, { mode: 0o644 });
  }

  /** The program with the paths put in. */
  in(program: string): string {
    const escaped = (digits: (byte: number) => string) =>
      [...this.file].map(character => digits(character.charCodeAt(0))).join('');
    return program
      .replaceAll(
        '$HEX',
        escaped(byte => `\\x${byte.toString(16)}`),
      )
      .replaceAll(
        '$OCTAL',
        escaped(byte => `\\${byte.toString(8)}`),
      )
      .replaceAll('$RELATIVE', this.file.slice(1))
      .replaceAll('$NAME', basename(this.file))
      .replaceAll('$S', this.file)
      .replaceAll('$D', this.folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
