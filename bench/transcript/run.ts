import { type Exchange, session } from './session.js';

/** Prints the session as markdown, each request and reply as it came. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);

say('# A session with bpftrace-mcp\n');
let asked = 0;
let told = 0;
let typed = 0;
let step = 0;
await session(({ why, tool, args, reply, ms }: Exchange) => {
  const request = JSON.stringify(args, undefined, 2);
  const sizes = [JSON.stringify(args), reply.text, JSON.stringify(reply.structured ?? {})].map(text =>
    Buffer.byteLength(text),
  );
  const [asking = 0, text = 0, structured = 0] = sizes;
  asked += asking;
  told += text;
  typed += structured;
  step++;
  say(`## ${step}. ${why}\n`);
  say(`\`${tool}\`, ${asking} bytes:\n\n${fenced('json', request)}\n`);
  const kind = reply.isError ? 'a tool error' : 'the reply';
  say(`${kind} after ${Math.round(ms)} ms, ${text} bytes of text (${structured} typed):\n`);
  say(`${fenced('', reply.text)}\n`);
});
say(`${step} calls: ${asked} bytes asked, ${told} bytes of text told (${typed} typed).`);

/** A fence longer than any that the text has. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
