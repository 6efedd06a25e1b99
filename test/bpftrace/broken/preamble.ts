import type { Broken } from './broken.js';

export const PREAMBLE: readonly Broken[] = [
  {
    program: 'struct foo { int aaa; } BEGIN { $f = (struct foo *)0; print($f->▸bbb); }',
    code: 'unknown_field',
    hint: 'struct foo has aaa',
  },
  {
    program: 'struct foo { int a[4]; } BEGIN { $f = (struct foo *)0; $x = $▸f->a[5]; }',
    code: 'type',
    hint: 'the first element is [0]',
    but: { '0.27': { at: '1:61' } },
  },
  {
    program: '#include <▸nosuch/header.h>\nBEGIN { exit(); }',
    code: 'include',
    hint: "leave it out: the kernel's types are there without it (BTF),",
  },
  {
    program: '#include "▸/nosuch.h"\nBEGIN { exit(); }',
    code: 'include',
    hint: "leave it out: the kernel's types are there without it (BTF),",
  },
  {
    program: 'struct foo { ▸nosuchtype a; }; BEGIN { exit(); }',
    code: 'c_code',
    hint: 'define every type that you use, or use plain ones (int,',
  },
  {
    program: 'struct foo { int a; ; BEGIN { exit(); }▸',
    code: 'syntax',
    hint: 'the { at 1:12 is not closed: add }',
    but: {
      '0.27': { code: 'c_code', at: null, hint: 'define every type that you use, or use plain ones (int,' },
    },
  },
  {
    program: 'struct task_struct { int a; } BEGIN { $t = (struct task_struct *)curtask; print($t->▸pid); }',
    code: 'unknown_field',
    hint: 'struct task_struct has a',
  },
  {
    program: 'struct a { int x; } struct ▸a { int y; } BEGIN { exit(); }',
    code: 'c_code',
    hint: 'it is defined twice: remove one',
  },
  { program: '#define FOO 5\nBEGIN { @ = ▸FOOO; }', code: 'unknown_name', hint: 'did you mean FOO' },
  {
    program: '#define FOO (\nBEGIN { @ = FOO▸; }',
    code: 'syntax',
    but: { '0.27': { at: '2:13', hint: 'a #define that is used in a program must be a whole expression' } },
  },
  {
    program: 'enum e { A = 1, B };\nBEGIN { @ = ▸C; }',
    code: 'unknown_name',
    hint: 'list_helpers lists the builtin variables; $name is a variable,',
  },
  {
    program: '#▸nosuchdirective\nBEGIN { exit(); }',
    code: 'c_code',
    hint: 'use #include, #define, #if and the like',
  },
  { program: '#▸if 1\nBEGIN { exit(); }', code: 'c_code', hint: 'an #endif is missing' },
  {
    program: 'typedef int foo▸;\nBEGIN { exit(); }',
    code: 'syntax',
    hint: 'there is no typedef: define a struct, or use #define',
    but: { '0.27': { at: '1:9' } },
  },
  {
    program: 'union u { int a; char b[▸nosuch]; };\nBEGIN { exit(); }',
    code: 'c_code',
    hint: 'define every type that you use, or use plain ones (int,',
  },
  { program: 'enum { A, ▸A };\nBEGIN { exit(); }', code: 'c_code', hint: 'it is defined twice: remove one' },
  {
    program: 'struct foo { struct bar ▸b; };\nBEGIN { exit(); }',
    code: 'c_code',
    hint: 'define every type that you use, or use plain ones (int,',
  },
];
