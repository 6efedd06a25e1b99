import type { Config } from '../config.js';
import { boardBytes, STDERR_BYTES_MAX } from '../contract/board.js';
import { ringBytes } from '../contract/ring.js';

/** UTF-16, at the worst. */
const BYTES_A_CHARACTER = 2;

/** The most that a server holds of programs, in bytes: what the settings come to. */
export interface MemoryBound {
  /** Finished ones: the newest is kept in any case, however large. */
  results: number;
  /** Lines and maps of those that run. */
  running: number;
  /** Texts of those that run or wait. */
  programs: number;
  total: number;
}

/** @param slots executions that run at once, at the most */
export function memoryBound(config: Config, slots: number): MemoryBound {
  const lines = ringBytes(config.maxLines, config.maxOutputBytes);
  const board = config.maxMapBytes + STDERR_BYTES_MAX;
  const results = config.maxResultsBytes + lines + board;
  const running = slots * (lines + boardBytes(board));
  const programs = (slots + config.queueLimit) * config.maxProgramBytes * BYTES_A_CHARACTER;
  return { results, running, programs, total: results + running + programs };
}
