import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PROMPTS } from '../../src/mcp/prompts/index.js';
import { promptText } from '../../src/mcp/prompts/prompt.js';
import { type Crowd, startCulprits } from '../support/culprits.js';
import { ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

/** What each step must tell of the culprits that run meanwhile, in the order of the prompt. */
const FINDS: Readonly<Record<string, readonly RegExp[]>> = {
  'high_cpu of one': [/burner/, /@user[\s\S]*< /, /burner/],
  high_cpu: [/burner/, /burner/, /sipper, \d+\]?: \d+/],
  slow_disk: [/n=\d+/, /n=\d+/, /syncer, \d+\]?: n=\d+/],
  slow_requests: [/lockholder, \d+: /, /dozer, 1\]?: n=\d+/, /: n=\d+ average/],
  'slow_requests of a function': [/@by_arg1:/, /@total_us: n=\d+/],
  memory_growth: [/hoarder, \d+\]?: -?\d{6}/, /@brk_calls[\s\S]*hoarder, \d+\]?: \d/],
  'memory_growth of one': [/hoarder/, /@brk_calls/, /hoarder/],
  network_trouble: [
    /dialer, \d+, 111[\s\S]*127\.0\.0\.1, 9\]?: \d+/,
    /127\.0\.0\.1, \d+\]?: \d+/,
    /@drops[\s\S]*@reset_by/,
  ],
  who_does_this: [
    /seeker, \d+, \/etc\/seeker\.yaml, 2\]?: \d+/,
    /launcher: \/bin\/true hidden/,
    /reaper, \d+, 15, (?:victim|reaper)/,
    /rm, \d+, \S+\/gone/,
  ],
  short_lived: [/true[:\]]/, /launcher, \d+\]?: \d+/, /launcher: \/bin\/true hidden/],
};
const ARGUMENTS: Readonly<Record<string, Record<string, string>>> = {
  'slow_requests of a function': { function: 'crypt_r', process: 'hasher' },
  'high_cpu of one': { process: 'burner' },
  'memory_growth of one': { process: 'hoarder' },
};
const TRACED_S = 2;

let server: ServerUnderTest;
let crowd: Crowd;
before(async () => {
  server = await ServerUnderTest.start(['--log-level', 'silent', '--concurrency', '4']);
  crowd = startCulprits([
    ...(['seeker', 'syncer', 'launcher', 'lockholder', 'hasher', 'dialer', 'reaper', 'hoarder'] as const),
    ...(['sipper', 'dozer', 'burner', 'knocker', 'deleter'] as const),
  ]);
});
after(async () => {
  await crowd.stop();
  await server.close();
});

async function textOf(name: string, args: Record<string, string> = {}): Promise<string> {
  const { messages } = await server.client.experimental_getPrompt({ name, arguments: args });
  const content = messages[0]?.content;
  return content?.type === 'text' ? content.text : '';
}

function programsIn(text: string): string[] {
  return [...text.matchAll(/```bpftrace\n([\s\S]*?)\n```/g)].map(([, program = '']) => program);
}

describe('prompts', () => {
  test('every program of every prompt runs here, and finds what misbehaves', async () => {
    assert.deepEqual(
      PROMPTS.map(({ name }) => name),
      Object.keys(FINDS).filter(name => !name.includes(' ')),
    );
    const missed: string[] = [];
    const runs = Object.entries(FINDS).map(async ([label, finds]) => {
      const [name = ''] = label.split(' ');
      const args = ARGUMENTS[label] ?? {};
      if (label.endsWith('function')) args.binary = crowd.libcrypt;
      const programs = programsIn(await textOf(name, args));
      assert.equal(programs.length, finds.length, `programs of ${label}`);
      await Promise.all(
        programs.map(async (program, at) => {
          const text = await toItsEnd(program);
          if (!/^completed by its deadline/.test(text) || !finds[at]?.test(text))
            missed.push(`${label}, step ${at + 1}: no ${finds[at]} in\n${program}\n${text}`);
        }),
      );
    });
    await Promise.all(runs);
    assert.equal(missed.length, 0, missed.join('\n\n'));
  });

  test('what is shown where the first choice is missing runs too, where this host has it', async () => {
    const { text } = await server.call('bpf_info');
    const args = / 0\.1[0-8]\./.test(text) ? 'args->' : 'args.';
    const others = PROMPTS.flatMap(prompt =>
      prompt
        .method(prompt.name === 'memory_growth' ? { process: 'hoarder' } : {}, { args })
        .steps.flatMap(({ choices }) => choices.slice(1)),
    );
    assert.ok(others.length >= 3);
    for (const { needs, program } of others) {
      const totals = needs.map(
        async filter => (await server.call('list_probes', { filter })).structured?.total,
      );
      if ((await Promise.all(totals)).every(total => total !== 0))
        assert.match(await toItsEnd(program), /^completed by its deadline/, program);
    }
  });

  test('it says what is missing where no program fits', () => {
    const [prompt] = PROMPTS.slice(5);
    assert.ok(prompt);
    const text = promptText(prompt.method({}, { args: 'args.' }), {
      has: probe => !probe.includes('execve'),
      propose: program => ({ program }),
    });
    assert.match(
      text,
      /2\. Who starts programs\?\nThis host has no tracepoint:syscalls:sys_enter_execve: look/,
    );
  });

  test('no prompt proposes a program that the server would refuse', async () => {
    const flags = ['--deny-probes', 'tracepoint:raw_syscalls:*,tracepoint:kmem:*,profile:*,uprobe:*'];
    const strict = await ServerUnderTest.start(['--log-level', 'silent', ...flags]);
    let denied = 0;
    for (const { name } of PROMPTS) {
      const args = name === 'slow_requests' ? { binary: crowd.libcrypt, function: 'crypt_r' } : {};
      const prompt = await strict.client.experimental_getPrompt({ name, arguments: args });
      const content = prompt.messages[0]?.content;
      const text = content?.type === 'text' ? content.text : '';
      denied +=
        text.match(/The operator's policy keeps this from running: \S+ .*\(rule probe_list\)/g)?.length ?? 0;
      for (const program of programsIn(text)) {
        const { text: verdict } = await strict.call('validate_program', { program });
        assert.doesNotMatch(verdict, /^policy_denied/, program);
      }
    }
    assert.ok(denied >= 4, `${denied} steps were denied`);
    await strict.close();
  });

  test('arguments become conditions, and nothing else', async () => {
    const [program] = programsIn(await textOf('high_cpu', { process: '4242' }));
    assert.match(program ?? '', /\/pid == 4242\//);
    const [named] = programsIn(await textOf('high_cpu', { process: 'npm exec biome' }));
    assert.match(named ?? '', /\/comm == "npm exec biome"\//);
    // What a form leaves empty was not given.
    assert.match(await textOf('high_cpu', { process: '' }), /\/pid != 0\//);
    const refused: [string, Record<string, string>, RegExp][] = [
      ['high_cpu', { process: '1/ { system("id") } profile:hz:1 /1' }, /process is .* must be a pid/],
      ['high_cpu', { process: 'a" || 1 || "' }, /process is/],
      ['high_cpu', { process: 'more than 15 characters' }, /process is/],
      ['high_cpu', { pid: '1' }, /unknown argument "pid"; high_cpu takes process\?/],
      ['slow_requests', { binary: '/bin/x {} BEGIN', function: 'f' }, /binary is/],
      ['slow_requests', { binary: '/bin/bash', function: 'read{}line' }, /function is/],
      ['slow_requests', { binary: '/bin/bash' }, /binary was given without function/],
      ['who_does_this', { path: 'relative' }, /path is/],
      ['who_does_this', { path: '/a") { } //' }, /path is/],
      ['nothing', {}, /there is no prompt "nothing"; there are high_cpu/],
    ];
    for (const [name, args, expected] of refused) await assert.rejects(textOf(name, args), expected);
  });

  test('it is quick once the list of probes is there', async () => {
    await textOf('slow_disk');
    const begun = performance.now();
    await Promise.all(PROMPTS.map(({ name }) => textOf(name)));
    assert.ok(performance.now() - begun < 2000);
  });
});

/** Runs one to its deadline, and gives the text of its result. */
async function toItsEnd(program: string): Promise<string> {
  const { structured, text } = await server.call('exec_program', { program, timeout: TRACED_S });
  if (!structured) return text;
  const asked = { execution_id: structured.execution_id, wait: 50, map_entries: 1000, max_bytes: 200_000 };
  return until(`the end of ${program}`, 240_000, async () => {
    const reply = await server.call('get_result', asked);
    const ended = ['completed', 'failed', 'stopped'].includes(String(reply.structured?.status));
    return ended ? reply.text : undefined;
  });
}
