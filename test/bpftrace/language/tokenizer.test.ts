import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outline } from '../../../src/bpftrace/language/outline.js';
import { mapNames, positionOf, stringValue } from '../../../src/bpftrace/language/token.js';
import { tokenize } from '../../../src/bpftrace/language/tokenizer.js';

/** `kind:text` of each token. */
function tokens(program: string): string[] {
  return tokenize(program).map(({ kind, text }) => `${kind}:${text}`);
}

/** What is wrong, and at which text; undefined for a well-formed program. */
function problem(program: string): string | undefined {
  const last = tokenize(program).at(-1);
  return last?.kind === 'invalid' ? `${last.problem} | ${last.text}` : undefined;
}

test('each kind of token', () => {
  assert.deepEqual(tokens('#!/usr/bin/env bpftrace\n#include <a.h> // b\nstruct a { int b; };'), [
    'shebang:#!/usr/bin/env bpftrace',
    'directive:#include <a.h> // b',
    'definition:struct a { int b; }',
    'symbol:;',
  ]);
  assert.deepEqual(
    tokens('uprobe:/usr/lib/*/libc.so.6:"a b" /pid == $1/ { @x[1_0, "a\\"b"] = $y->z << 100ms; }'),
    [
      'name:uprobe',
      'symbol::',
      'path:/usr/lib/*/libc.so.6',
      'symbol::',
      'string:"a b"',
      'symbol:/',
      'name:pid',
      'symbol:==',
      'positional:$1',
      'symbol:/',
      'symbol:{',
      'map:@x',
      'symbol:[',
      'number:1_0',
      'symbol:,',
      'string:"a\\"b"',
      'symbol:]',
      'symbol:=',
      'variable:$y',
      'symbol:->',
      'name:z',
      'symbol:<<',
      'number:100ms',
      'symbol:;',
      'symbol:}',
    ],
  );
});

test('comments are left out, or given', () => {
  const program = 'BEGIN { /* cat("/a") */ exit() // }\n}';
  assert.deepEqual(tokens(program), [
    'name:BEGIN',
    'symbol:{',
    'name:exit',
    'symbol:(',
    'symbol:)',
    'symbol:}',
  ]);
  const comments = tokenize(program, { comments: true }).filter(({ kind }) => kind === 'comment');
  assert.deepEqual(
    comments.map(({ text }) => text),
    ['/* cat("/a") */', '// }'],
  );
});

test('what is malformed, or read differently by versions of bpftrace, ends the reading', () => {
  const cases: Record<string, string> = {
    'BEGIN { "a\n" }': 'a string that has no end on its line, or an escape that bpftrace does not know',
    'BEGIN { "a\\q" }': 'a string that has no end on its line, or an escape that bpftrace does not know',
    'BEGIN { } /* x': 'a comment that has no end',
    'BEGIN { }\0 BEGIN { }': 'a NUL character',
    'BEGIN { é }': 'the character "é"',
    "BEGIN { 'a' }": 'the character "\'"',
    'BEGIN { 1abc }': 'the character "1"',
    'BEGIN {\n#include <a>\n}': 'a # that begins no directive here',
    '#\ninclude "/a"\nBEGIN { }': 'a # that begins no directive here',
    'kprobe:"f"/*{ cat("/a") } BEGIN /* */ { }': 'a comment glued to an attach point',
    'kprobe:f/* " */ { }': 'a comment glued to an attach point',
    'uprobe:/bin/c++/*" */:f { }': 'a comment glued to an attach point',
    'BEGIN /{ 1 }/ { }': 'a block inside a predicate',
    'BEGIN { (struct " *)0 }': 'a struct without a plain name',
    'struct a { int b; /* } */ int c; };': 'a comment with a brace in a struct',
    'struct a {\n#include "/a"\n};': 'the character # in a struct',
    '"BEGIN" { }': '"BEGIN" where a probe should begin',
  };
  for (const [program, expected] of Object.entries(cases)) {
    assert.equal(problem(program)?.split(' | ')[0], expected, program);
  }
});

test('an outline of a program', () => {
  const program = `
    #define A 1
    config = { max_strlen = 64 }
    let @a = hash(5);
    macro m($x) { { $x } }
    enum e { B };
    name@kprobe:"do it", uprobe :/bin/bash:f+0x10 /@a[tid] + 2/ { @b = 1; { } }
    interval:s:1 { }`;
  const { items, probes, problem } = outline(tokenize(program));
  assert.equal(problem, undefined);
  assert.deepEqual(
    items.map(({ kind, start, end }) => `${kind} ${program.slice(start, end)}`),
    [
      'directive #define A 1',
      'config config = { max_strlen = 64 }',
      'declaration let @a = hash(5);',
      'macro macro m($x) { { $x } }',
      'definition enum e { B }',
    ],
  );
  assert.deepEqual(
    probes.map(probe => probe.attachPoints.map(({ parts }) => parts)),
    [
      [
        ['kprobe', 'do it'],
        ['uprobe', '/bin/bash', 'f+0x10'],
      ],
      [['interval', 's', '1']],
    ],
  );
  const [first] = probes;
  assert.equal(first && program.slice(first.predicate?.start, first.predicate?.end), '@a[tid] + 2');
  assert.equal(first && program.slice(first.body.start, first.body.end), '@b = 1; { }');
  assert.deepEqual(mapNames(tokenize(program)), ['@a', '@b']);
});

test('an outline says where the program breaks off', () => {
  assert.equal(outline(tokenize('BEGIN { exit()')).problem?.message, 'it ends too early');
  const program = 'BEGIN {\n  é }';
  const { start, message } = outline(tokenize(program)).problem ?? {};
  assert.equal(message, 'the character "é"');
  assert.deepEqual(positionOf(program, start ?? 0), { line: 2, column: 3 });
});

test('what strings stand for', () => {
  const [, , string] = tokenize(String.raw`BEGIN { "\x41\102\t\"\\" }`);
  assert.equal(string && stringValue(string), 'AB\t"\\');
});
