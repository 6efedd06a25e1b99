import { both, feature, type Group, holds, prints, printsLike } from './feature.js';

const say = (name: string, body: string, ...lines: string[]) =>
  feature(name, `BEGIN { ${body} exit(); }`, prints(...lines));
const map = (name: string, body: string, pattern: RegExp) =>
  feature(name, `BEGIN { ${body} exit(); }`, holds('@', pattern), { required: true });

/** What comes out of a program, and whether it is what went in. */
export const output: Group = {
  name: 'output',
  ofKernel: false,
  features: [
    say(
      'printf of numbers',
      'printf("%d %u %x %5d|%-5d|%05d\\n", 42, 42, 255, 42, 42, 42);',
      '42 42 ff    42|42   |00042',
    ),
    say(
      'printf of negative and 64-bit numbers',
      'printf("%d %llu\\n", -5, 0xffffffffffffffff);',
      '-5 18446744073709551615',
    ),
    say(
      'printf of strings',
      'printf("[%s] [%5s] [%-5s] [%.2s]\\n", "abc", "abc", "abc", "abc");',
      '[abc] [  abc] [abc  ] [ab]',
    ),
    say('quotes, backslashes and tabs', 'printf("\\"q\\" \\\\ \\t.\\n");', '"q" \\ \t.'),
    say('text beyond ASCII', 'printf("é 日本 🙂\\n");', 'é 日本 🙂'),
    say('lines that several calls make', 'printf("a "); printf("b\\nc\\n");', 'a b', 'c'),
    feature('time()', 'BEGIN { time("%Y-%m-%d\\n"); exit(); }', printsLike(/^20\d\d-\d\d-\d\d$/), {
      required: true,
    }),
    feature(
      'strftime()',
      'BEGIN { printf("%s\\n", strftime("%Y-%m-%d", nsecs)); exit(); }',
      printsLike(/^20\d\d-\d\d-\d\d$/),
    ),
    feature('cat()', 'BEGIN { cat("/proc/sys/kernel/ostype"); exit(); }', prints('Linux'), {
      required: true,
    }),
    feature(
      'join()',
      'tracepoint:syscalls:sys_enter_execve { join(args->argv); exit(); }',
      printsLike(/^\/?\w+/),
    ),
    say('print() of a value', 'print(5); print("five"); print((1, "x"));', '5', 'five', '(1, x)'),
    say(
      'print() of the top of a map',
      '@a[1] = 10; @a[2] = 30; @a[3] = 20; print(@a, 2); clear(@a);',
      '@a: {"3": 20, "2": 30}',
    ),
    feature(
      'warnf() and errorf()',
      'BEGIN { warnf("hm %d\\n", 3); errorf("bad %d\\n", 4); exit(); }',
      both(printsLike(/hm 3/), printsLike(/bad 4/)),
    ),
    map('a number', '@ = 42;', /42/),
    map('a negative number', '@ = -42;', /-42/),
    map('the largest number, exactly', '@ = (uint64)0xffffffffffffffff;', /18446744073709551615|-1/),
    map('text', '@ = "some text";', /some text/),
    map('text beyond ASCII in a map', '@["é"] = 1;', /é/),
    map('count()', '@ = count(); @ = count();', /2/),
    map('sum()', '@ = sum(40); @ = sum(2);', /42/),
    map('avg()', '@ = avg(40); @ = avg(44);', /42/),
    map('min()', '@ = min(42); @ = min(50);', /42/),
    map('max()', '@ = max(42); @ = max(30);', /42/),
    map('stats()', '@ = stats(40); @ = stats(44);', /"count":2.*"average":42.*"total":84|"average":42/),
    map('hist()', '@ = hist(5); @ = hist(100);', /64.*127|64.*128/),
    map('hist() beyond 2^31', '@ = hist(0x100000000);', /4294967296|2147483648/),
    map('lhist()', '@ = lhist(15, 0, 100, 10);', /10.*(?:19|20)/),
    feature(
      'hist() with finer buckets',
      'BEGIN { @ = hist(100, 2); exit(); }',
      holds('@', /96.*(?:111|112)/),
    ),
    feature('tseries()', 'BEGIN { @ = tseries(5, 1s, 3); exit(); }', holds('@', /5/)),
    feature('llhist()', 'BEGIN { @ = llhist(15, 0, 100, 10); exit(); }', holds('@', /1/)),
    map('keys of several parts', '@[1, "two"] = 3;', /1,two/),
    feature('blanks in a key', 'BEGIN { @["npm  view"] = 1; exit(); }', holds('@', /npm {2}view/)),
    feature('commas in a key', 'BEGIN { @["a, b"] = 1; exit(); }', holds('@', /a, b/)),
    feature('tuples in a map', 'BEGIN { @ = (1, "two"); exit(); }', holds('@', /1.*two/)),
    feature(
      'a kernel stack as a key',
      'profile:hz:199 { @[kstack(3)] = count(); } interval:ms:500 { exit(); }',
      holds('@', /[a-z_]+\+\d+/),
    ),
    feature(
      'a user stack as a key',
      'tracepoint:syscalls:sys_enter_openat { @[ustack(3)] = count(); exit(); }',
      holds('@', /[a-z_]+\+\d+|0x[\da-f]+/),
    ),
    feature(
      'comm, pid, tid, uid, cpu, nsecs',
      'tracepoint:syscalls:sys_enter_openat { printf("%s %d %d %d %d %d\\n", comm, pid > 0, tid > 0, uid >= 0, cpu >= 0, nsecs > 0); exit(); }',
      printsLike(/^\S.* 1 1 1 1 1$/),
      { required: true },
    ),
    feature(
      'str() of what the user’s memory holds',
      'tracepoint:syscalls:sys_enter_openat { printf("%s\\n", str(args->filename)); exit(); }',
      printsLike(/^\S/),
      { required: true },
    ),
    feature('ntop()', 'BEGIN { printf("%s\\n", ntop(0x0100007f)); exit(); }', prints('127.0.0.1')),
    feature(
      'macaddr and buf: bytes as \\x',
      'BEGIN { printf("%r\\n", buf("ab\\x01", 3)); exit(); }',
      printsLike(/^ab\\x01$/),
    ),
    feature(
      'ksym() and kaddr()',
      'BEGIN { printf("%s\\n", ksym(kaddr("vfs_read"))); exit(); }',
      prints('vfs_read'),
    ),
    feature('cgroup paths', 'BEGIN { printf("%s\\n", cgroup_path(cgroup)); exit(); }', printsLike(/\//)),
  ],
};
