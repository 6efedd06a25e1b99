import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { Btf, kernelBtf } from '../../../workers/probes/btf.js';
import { BPFTRACE } from '../../support/server.js';

describe("the kernel's types", { skip: kernelBtf() ? false : 'this kernel has no BTF' }, () => {
  const btf = kernelBtf();

  test('what a function takes and returns', () => {
    assert.deepEqual(btf?.parameters('vfs_read'), [
      { name: 'file', type: 'struct file *' },
      { name: 'buf', type: 'char *' },
      { name: 'count', type: 'size_t' },
      { name: 'pos', type: 'loff_t *' },
    ]);
    assert.equal(btf?.returns('vfs_read'), 'ssize_t');
    assert.equal(btf?.parameters('no_such_function'), undefined);
    assert.equal(btf?.returns(''), undefined);
  });

  test('enumerators are those that bpftrace tells', () => {
    for (const name of ['pid_type', 'bpf_map_type', 'hrtimer_restart', 'zone_type']) {
      const told = execFileSync(BPFTRACE, ['-lv', `enum ${name}`], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const values = [...told.matchAll(/^\s+(\w+) = (-?\d+),$/gm)];
      assert.ok(values.length > 1, name);
      for (const [, enumerator = '', value = ''] of values)
        assert.equal(String(btf?.enumerator(enumerator)), value, enumerator);
      const [, first, number = ''] = values[0] ?? [];
      assert.equal(btf?.enumValues(name)?.[number], first);
    }
  });

  test('names of types', () => {
    assert.ok(btf?.typeNames('struct').includes('struct task_struct'));
    assert.ok(btf?.typeNames('enum').includes('enum pid_type'));
    assert.deepEqual(btf?.typeNames('class'), []);
  });
});

test('what is no BTF is refused', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('not BTF at all, not by far'),
    Buffer.from([0x9f, 0xeb, 1, 0]),
  ])
    assert.throws(() => new Btf(bytes));
});
