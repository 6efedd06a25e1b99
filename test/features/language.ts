import { entries, feature, type Group, prints, printsLike } from './feature.js';

const say = (name: string, body: string, ...lines: string[]) =>
  feature(name, `BEGIN { ${body} exit(); }`, prints(...lines));
const basic = (name: string, body: string, ...lines: string[]) =>
  feature(name, `BEGIN { ${body} exit(); }`, prints(...lines), { required: true });

/** What a program may say, whatever the kernel. */
export const language: Group = {
  name: 'language',
  features: [
    basic('variables and arithmetic', '$x = 7; $y = $x * 6 - 1; printf("%d %d\\n", $y, $y % 5);', '41 1'),
    basic(
      'if, else and the ternary operator',
      '$x = 3; if ($x > 2) { printf("more\\n"); } else { printf("less\\n"); } printf("%s\\n", $x == 3 ? "yes" : "no");',
      'more',
      'yes',
    ),
    say(
      'else if',
      '$x = 2; if ($x == 1) { printf("1\\n"); } else if ($x == 2) { printf("2\\n"); } else { printf("?\\n"); }',
      '2',
    ),
    basic('while', '$i = 0; while ($i < 3) { printf("%d\\n", $i); $i++; }', '0', '1', '2'),
    basic('unroll', '$i = 0; unroll(3) { $i += 2; } printf("%d\\n", $i);', '6'),
    say(
      'for over a map',
      '@a[5] = 6; for ($kv : @a) { printf("%d=%d\\n", $kv.0, $kv.1); } clear(@a);',
      '5=6',
    ),
    say('for over a range', 'for ($i : 0..3) { printf("%d\\n", $i); }', '0', '1', '2'),
    say('let', 'let $x = 4; printf("%d\\n", $x);', '4'),
    say('tuples', '$t = (1, "two", 3); printf("%d %s\\n", $t.0, $t.1);', '1 two'),
    say('bool', '$b = true; if ($b) { printf("%d\\n", $b); }', '1'),
    basic('strings compared', 'if ("abc" == "abc") { printf("same\\n"); }', 'same'),
    basic('comments', '// one\n/* two\n three */ printf("after\\n"); // four\n', 'after'),
    feature(
      'delete of a key',
      'BEGIN { @a[1] = 1; @a[2] = 2; delete(@a[1]); exit(); }',
      entries('@a', '2: 2'),
      {
        required: true,
      },
    ),
    say('delete with the map and the key apart', '@a[1] = 1; delete(@a, 1); printf("%d\\n", @a[1]);', '0'),
    say('len() of a map', '@a[1] = 1; @a[2] = 1; printf("%d\\n", len(@a)); clear(@a);', '2'),
    say('has_key()', '@a[1] = 1; if (has_key(@a, 1)) { printf("there\\n"); } clear(@a);', 'there'),
    feature('#define', '#define SIX 6\nBEGIN { printf("%d\\n", SIX); exit(); }', prints('6'), {
      required: true,
    }),
    feature(
      'struct definitions',
      'struct pair { int a; int b; }; BEGIN { printf("%d\\n", sizeof(struct pair)); exit(); }',
      prints('8'),
    ),
    feature('enum definitions', 'enum e { A = 4, B }; BEGIN { printf("%d\\n", B); exit(); }', prints('5')),
    feature(
      'offsetof()',
      'struct pair { int a; int b; }; BEGIN { printf("%d\\n", offsetof(struct pair, b)); exit(); }',
      prints('4'),
    ),
    feature(
      'config = { ... }',
      'config = { max_map_keys = 2 } BEGIN { printf("set\\n"); exit(); }',
      prints('set'),
    ),
    feature('macros', 'macro twice(x) { x * 2 } BEGIN { printf("%d\\n", twice(4)); exit(); }', prints('8')),
    feature(
      'map declarations',
      'config = { unstable_map_decl=enable } let @a = hash(4); BEGIN { @a[1] = 2; exit(); }',
      entries('@a', '1: 2'),
    ),
    feature('durations: interval:50ms', 'interval:50ms { printf("tick\\n"); exit(); }', prints('tick')),
    feature('begin and end in small letters', 'begin { printf("begun\\n"); exit(); }', prints('begun')),
    feature(
      'args->field',
      'tracepoint:sched:sched_switch { printf("%d\\n", args->next_pid >= 0); exit(); }',
      printsLike(/^1$/),
    ),
    feature(
      'args.field',
      'tracepoint:sched:sched_switch { printf("%d\\n", args.next_pid >= 0); exit(); }',
      printsLike(/^1$/),
    ),
    feature(
      'curtask and the fields of struct task_struct',
      'tracepoint:syscalls:sys_enter_openat { $t = (struct task_struct *)curtask; printf("%d\\n", $t->tgid == pid); exit(); }',
      printsLike(/^1$/),
    ),
    feature(
      'predicates',
      'interval:ms:20 { @n++; } interval:ms:30 /@n > 1/ { printf("later\\n"); clear(@n); exit(); }',
      prints('later'),
      { required: true },
    ),
    say('strcontains()', 'if (strcontains("hello", "ell")) { printf("in\\n"); }', 'in'),
    say('strncmp()', 'printf("%d\\n", strncmp("abcd", "abxx", 2));', '0'),
    say('strerror()', 'printf("%s\\n", strerror(2));', 'No such file or directory'),
    say('casts and sign', '$x = (int8)255; printf("%d %d\\n", $x, (uint8)511);', '-1 255'),
    say('bswap()', 'printf("%x\\n", bswap((uint16)0x1234));', '3412'),
    say(
      'post- and pre-increment',
      '@a = 1; $x = @a++; $y = ++@a; printf("%d %d\\n", $x, $y); clear(@a);',
      '1 3',
    ),
  ],
};
