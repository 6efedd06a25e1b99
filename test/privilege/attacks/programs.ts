import { type Attack, inGroups, request } from './attack.js';

/** Names of files that only root can read; each holds the secret, which must not come out. */
export interface Secrets {
  inRoot: string;
  inEtc: string;
  inVar: string;
}

const DENIED = 'failed to open file';
/** It did not compile, or what it tried was denied; the test looks for the secret in what came out. */
const NOTHING = /end \d+ \d+/;

/** Against the confinement: programs in bpftrace's safe mode that read or write what only root may. */
export function programs(secrets: Secrets, inOwnRoot: boolean): readonly Attack[] {
  const { inRoot, inEtc, inVar } = secrets;
  const run = (name: string, program: string, outcome: RegExp): Attack => ({
    name,
    input: request({ program }),
    outcome,
  });
  const cats = [
    inRoot,
    inEtc,
    inVar,
    `/proc/1/root${inEtc}`,
    `/proc/self/root${inEtc}`,
    `/proc/self/cwd${inEtc}`,
    `/proc/thread-self/root${inEtc}`,
    `/usr/../${inEtc.slice(1)}`,
    `/proc/../${inEtc.slice(1)}`,
    `//${inEtc}`,
    '/etc/shadow',
    '/etc/gshadow',
    '/etc/sudoers',
    '/etc/sudoers.d/bpftrace-mcp-helper',
    '/proc/1/environ',
    '/proc/1/maps',
    '/proc/1/mem',
    '/proc/1/fd/0',
    '/proc/kcore',
    '/dev/mem',
    '/dev/kmsg',
    '/dev/sda',
    '/run/bpftrace-mcp-helper/slot-1',
    '/sys/kernel/security/lockdown',
  ];
  const includes = [
    `#include "${inEtc}"`,
    `#include <${inEtc}>`,
    `# include "${inEtc}"`,
    `#include_next "${inEtc}"`,
    `#include "/proc/self/root${inEtc}"`,
    `#define F "${inEtc}"\n#include F`,
    `#import "${inEtc}"`,
    `struct x {\n%:include "${inEtc}"\nint y; };`,
    `struct x {\n??=include "${inEtc}"\nint y; };`,
    `struct x {\n#include "${inEtc}"\nint y; };`,
    `#embed "${inEtc}"`,
    `#pragma GCC dependency "${inEtc}"`,
    `#if __has_include("${inEtc}")\n#error it is there\n#endif`,
    `import "${inEtc}"`,
  ];
  return [
    ...inGroups(cats, 8).map(paths =>
      run(
        `cat of ${paths.join(', ')}`,
        `BEGIN { ${paths.map(path => `cat("${path}");`).join(' ')} exit(); }`,
        // A bpftrace of another release, in a root of its own, has its own files of some of these names there.
        inOwnRoot ? NOTHING : new RegExp(`(?:(?:${DENIED})[^]*){${paths.length}}`, 'i'),
      ),
    ),
    run(
      'cat with a format',
      `BEGIN { cat("%s%s", "${inEtc.slice(0, 4)}", "${inEtc.slice(4)}"); exit(); }`,
      NOTHING,
    ),
    run('cat behind a macro', `#define c cat\nBEGIN { c("${inEtc}"); exit(); }`, NOTHING),
    run('cat of a pasted name', `#define j(a, b) a ## b\nBEGIN { j(c, at)("${inEtc}"); exit(); }`, NOTHING),
    ...includes.map(line => run(line.split('\n', 2).join(' / '), `${line}\nBEGIN { exit(); }`, NOTHING)),
    run('system', 'BEGIN { system("id"); exit(); }', /unsafe/i),
    run('system behind a macro', '#define s system\nBEGIN { s("id"); exit(); }', NOTHING),
    run('signal', 'BEGIN { signal("KILL"); exit(); }', /unsafe/i),
    run('override', 'kprobe:x { override(0); }', NOTHING),
    run('unsafe by config', 'config = { unsafe = 1; }\nBEGIN { system("id"); }', NOTHING),
    run(
      'unsafe by config, in its other name',
      'config = { BPFTRACE_UNSAFE = 1; }\nBEGIN { system("id"); }',
      NOTHING,
    ),
    run(
      'a file written by skboutput',
      'struct sk_buff { int x; }; BEGIN { $s = (struct sk_buff *)0; skboutput("/etc/bmcp-owned", $s, 10, 0); exit(); }',
      NOTHING,
    ),
    run('a probe in a file that only root can read', `uprobe:${inRoot}:main { exit(); }`, NOTHING),
    run('a usdt probe there', `usdt:${inRoot}:x { exit(); }`, NOTHING),
    run('an option in the first line', '#!/usr/bin/bpftrace --unsafe\nBEGIN { system("id"); }', NOTHING),
    run(
      'a program that ends the request',
      'BEGIN { printf("traced\\n"); exit(); }\n\0\nprogram 3\nfoo',
      NOTHING,
    ),
    run(
      'reports that only look like ours',
      'BEGIN { printf("0123456789abcdef0123456789abcdef end 0 0\\n"); exit(); }',
      NOTHING,
    ),
    run(
      'a map of more keys than there may be',
      'config = { max_map_keys = 1000000000 }\nBEGIN { @[1] = 1; exit(); }',
      NOTHING,
    ),
    run(
      'more buffer than there may be',
      'config = { perf_rb_pages = 100000000 }\nBEGIN { @ = 1; exit(); }',
      NOTHING,
    ),
    run('an endless loop', 'BEGIN { $i = 0; while (1) { $i++; } exit(); }', NOTHING),
  ];
}
