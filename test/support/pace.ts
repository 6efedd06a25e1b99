/**
 * On an emulated processor everything takes some fifty times as long: one thing at a time then, patience, and little
 * to trace.
 */
const EMULATED = process.env.BPFTRACE_MCP_TEST_EMULATED === '1';

export const PACE = EMULATED
  ? { emulated: true, atOnce: 1, flags: ['--start-timeout-s', '300', '--grace-s', '60'] }
  : { emulated: false, atOnce: 4, flags: [] };
