/** What the guests do, each its share, one after the other; they run side by side. */
export interface Work {
  /** Whose bpftrace: the guest's own is trixie's. */
  suite: 'bookworm' | 'trixie' | 'sid';
  /** Of the test runner. */
  files: string;
  /** Of the features; all when absent. */
  groups?: string;
}

export const SHARES: readonly (readonly Work[])[] = [
  [
    { suite: 'trixie', files: 'features/', groups: 'functions,probes' },
    { suite: 'bookworm', files: 'features/', groups: 'functions' },
    { suite: 'trixie', files: 'vm/sudo' },
  ],
  [
    { suite: 'sid', files: 'features/', groups: 'functions' },
    { suite: 'trixie', files: 'vm/guest' },
    { suite: 'trixie', files: 'vm/tools' },
  ],
];
