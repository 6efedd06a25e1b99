import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './fixtures.js';
import { withGeneratedParts } from './readme.js';

const path = join(repositoryRoot(), 'README.md');
writeFileSync(path, withGeneratedParts(readFileSync(path, 'utf8')));
