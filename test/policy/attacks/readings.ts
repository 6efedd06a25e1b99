import { type Attack, attacks } from './attack.js';

/** Programs that one version of bpftrace takes for something else than another one, or than they seem to be. */
export const READINGS: readonly Attack[] = attacks(
  ['malformed', 'read_file', 'binary', 'preprocessor'],
  [
    // Comments that are none, inside attach points.
    'kprobe:"f"/*{ cat("$S") } BEGIN /* */ { exit() }',
    'BEGIN/*{ cat("$S") } /**/ { exit() }',
    'uprobe:/bin/bash:f/*{ cat("$S") } BEGIN /* */ { exit() }',
    'uprobe:/bin/*:f { cat("$S") } BEGIN { exit() /* */ }',
    'uprobe:/bin/bash:*/*" { cat("$S") } BEGIN { exit() /*"*/ }',
    'kprobe:f//{ cat("$S") }\n{ exit() }',
    'uprobe:/bin/bash:"f"//{ cat("$S") }\n{ exit() }',
    'uprobe:/bin/c++/*:f { cat("$S") } BEGIN { exit() /* */ }',
    'kprobe:f$1/*{ cat("$S") } /* */ { exit() }',
    'kprobe:f?/*{ cat("$S") } /* */ { exit() }',
    'kprobe:f\\"{ cat("$S") } BEGIN { printf("x") }',
    'kprobe:f struct "*, BEGIN { cat("$S") } kprobe:x,kprobe:"x" { }',
    // Types whose name swallows what follows.
    'BEGIN { $x = (struct " *)0; cat("$S"); exit() // " *)\n }',
    'BEGIN { $x = (struct /* *)0; cat("$S"); exit() // */ a *)0;\n }',
    'BEGIN { $x = sizeof(union " ); cat("$S"); // ");\n exit() }',
    'BEGIN { $x = (enum a; " *)0; cat("$S"); exit() // " *)\n }',
    'BEGIN { $x = (struct a, "*)0; cat("$S"); exit() // " *)\n }',
    // Bodies of definitions whose braces are counted in two ways.
    'struct a { int b; /* } */ BEGIN { cat("$S"); exit() } /* { */ };',
    'struct a { int b; // }\n BEGIN { cat("$S"); exit() }\n };',
    'struct a { char c[sizeof("}")]; }; BEGIN { cat("$S"); exit() } // " }',
    'struct a { char c[\'}\']; }; BEGIN { cat("$S"); exit() }',
    // Blocks that are expressions in one version and bodies in another.
    'BEGIN /{ 1 }/ { cat("$S"); exit() }',
    'BEGIN /{ 1 ? 2 :/*"*/3 }/ { cat("$S"); exit() /*"*/ }',
    'BEGIN / {1} + u ? 1 :/*"*/ 2/ { cat("$S"); exit() /*"*/ }',
    // Colons that begin a path or do not.
    'BEGIN { $a = 1 ? 2 :/*"*/3; cat("$S"); exit() /*"*/ }',
    'fn f() :/*"*/ int64 { cat("$S"); return 1; } BEGIN { exit() /*"*/ }',
    // Lines that are directives or not.
    '#\nBEGIN { cat("$S"); exit() }',
    'BEGIN { exit() #! }\n cat("$S") }',
    'BEGIN { exit() }\n#define X \\\nEND { cat("$S") }',
    'BEGIN { cat("$S")\n#if 0\n }',
    'BEGIN { exit() }\n#!/x {\nEND { cat("$S") }',
    'BEGIN { exit() }\n#!, BEGIN { cat("$S") }\nEND { }',
    'BEGIN { cat("$S"); exit() }\n#! */\n',
    'BEGIN { cat\n#!x\n("$S"); exit() }',
    // Ends that are none.
    'BEGIN { exit() }\0 END { cat("$S") }',
    'BEGIN { printf("\0"); cat("$S"); exit() }',
    'BEGIN { exit() /* \0 */; cat("$S") }',
    'BEGIN { exit() } /* END { cat("$S") }',
    'BEGIN { exit() } END { cat("$S") } /*',
    'BEGIN { printf("a\n"); cat("$S"); exit() }',
    'BEGIN { printf("a\\\n"); cat("$S"); exit() }',
    'BEGIN { printf("\\q"); cat("$S"); exit() }',
    // Characters that look like others.
    'BEGIN { cat（"$S"）; exit() }',
    'BEGIN { cat(“$S”); exit() }',
    '\ufeffBEGIN { cat("$S"); exit() }',
    'BEGIN\u00a0{ cat("$S"); exit() }',
    'BEGIN { cat("$S")\u2028; exit() }',
    "BEGIN { cat('$S'); exit() }",
    'BEGIN { cat(`$S`); exit() }',
    'BEGIN { exit()\v; cat("$S") }',
    'BEGIN { exit()\f; cat("$S") }',
    '"BEGIN" { cat("$S"); exit() }',
    '; BEGIN { cat("$S"); exit() }',
    '} BEGIN { cat("$S"); exit() }',
    'BEGIN { exit() } } BEGIN { cat("$S") }',
    'BEGIN { cat("$S"); exit()',
    'BEGIN { { cat("$S"); exit() }',
    '{ cat("$S"); exit() }',
  ],
);

/** What no bpftrace takes, and what names nothing of a file: left to bpftrace for its own words. */
export const HOPELESS: readonly string[] = [
  'BEGIN { ｃａｔ("$S"); exit() }',
  'BEGIN { c\u200bat("$S"); exit() }',
  'BEGIN { ca\\t("$S"); exit() }',
  "BEGIN { print('$S'); exit() }",
  'BEGIN { printf("$S); exit() }',
  'BEGIN { printf("\\q$S"); exit() }',
  'BEGIN { printf("x"',
  'BEGIN { if (1) { exit() }',
];
