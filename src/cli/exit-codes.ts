/** Exit codes a script can rely on. */
export const EXIT = {
  ok: 0,
  /** The program did not compile, did not attach, or died; or a check that is required failed. */
  failed: 1,
  /** The command line or a setting was wrong. */
  usage: 2,
  /** This host can't run bpftrace: not installed, or no privilege. */
  unable: 3,
  /** Stopped by a signal; its maps were printed all the same. */
  interrupted: 130,
} as const;
