import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of test/fixtures: the tests run from the folder they were compiled into, the fixtures stay in the source tree. */
export function fixturePath(...parts: string[]): string {
  return join(repositoryRoot(), 'test', 'fixtures', ...parts);
}

/** The nearest folder above this one whose package.json is that of this package. */
export function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isOurs(folder)) {
    const above = dirname(folder);
    if (above === folder) throw new Error('no package.json of bpftrace-mcp above the tests');
    folder = above;
  }
  return folder;
}

function isOurs(folder: string): boolean {
  try {
    const manifest: { name?: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return manifest.name === 'bpftrace-mcp';
  } catch {
    return false;
  }
}
