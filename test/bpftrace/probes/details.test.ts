import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withinRoom } from '../../../src/bpftrace/probes/details.js';

const field = (values: number) => ({
  name: 'flags',
  type: 'long',
  values: Object.fromEntries(Array.from({ length: values }, (_, i) => [String(i), `MEANING_OF_NUMBER_${i}`])),
});

test('values are left out where there are too many, alike for all, and counted', () => {
  const alone = [{ name: 'tracepoint:a:b', fields: [field(128)] }];
  assert.deepEqual(withinRoom(alone), alone);
  for (const probes of [5, 10, 20]) {
    const many = withinRoom(
      Array.from({ length: probes }, () => ({ name: 'x', fields: [field(128), field(2)] })),
    );
    assert.ok(JSON.stringify(many).length <= 8000);
    for (const { fields = [] } of many) {
      const kept = Object.keys(fields[0]?.values ?? {}).length;
      assert.equal(kept, Object.keys(many[0]?.fields?.[0]?.values ?? {}).length);
      assert.equal(fields[0]?.values_left_out, 128 - kept);
      assert.deepEqual(fields[1], field(2));
    }
  }
  assert.deepEqual(withinRoom([{ name: 'none' }, { name: 'empty', fields: [] }]), [
    { name: 'none' },
    { name: 'empty', fields: [] },
  ]);
});
