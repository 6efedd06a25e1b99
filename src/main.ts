#!/usr/bin/env node
import { main } from './cli/command-line.js';

await main(process.argv);
