import { after, test } from 'node:test';
import { removeGroups } from '../support/control-group.js';
import { BPFTRACE_ROWS } from './index.js';
import { makeHappen } from './make-happen.js';

after(removeGroups);

for (const row of BPFTRACE_ROWS) test(row.fault, t => makeHappen(row, t));
