import { z } from 'zod';
import { figuresMarkdown } from '../../bench/publish/figures.js';
import { hasLoss, MAP_LOSSES, type MapLoss } from '../../src/bpftrace/map-losses.js';
import { flagOf, loadConfig, rangeOf, settingNames, settings, variableOf } from '../../src/config.js';
import { PROMPTS } from '../../src/mcp/prompts/index.js';
import type { Tool } from '../../src/mcp/tool.js';
import { allTools } from '../../src/mcp/tools/index.js';
import { resultSchema } from '../../src/results/result.js';
import { FAULT_ROWS } from '../faults/index.js';
import { supportMarkdown } from './support-table.js';

/**
 * The README's generated parts. Each stands between `<!-- NAME -->` and `<!-- /NAME -->`; `npm run readme`
 * writes them, and a test fails when they are stale.
 */
const PARTS: Record<string, () => string> = {
  tools: toolTable,
  prompts: promptTable,
  result: resultTable,
  settings: settingTable,
  support: supportMarkdown,
  'map losses': mapLossTable,
  faults: faultTable,
  figures: figuresMarkdown,
};

export function withGeneratedParts(readme: string): string {
  let text = readme;
  for (const [name, generate] of Object.entries(PARTS)) {
    const part = new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`);
    if (!part.test(text)) throw new Error(`README.md has no part ${name}`);
    text = text.replace(part, () => `<!-- ${name} -->\n${generate()}\n<!-- /${name} -->`);
  }
  return text;
}

/** The JSON examples of the README: each is a call of a tool. */
export function exampleCalls(readme: string): { tool: string; args: Record<string, unknown> }[] {
  return [...readme.matchAll(/```json call\n([\s\S]*?)```/g)].map(([, body = '']) => JSON.parse(body));
}

function toolTable(): string {
  const rows = allTools(loadConfig({}, {})).map(tool => {
    const fields = Object.keys(tool.output.shape).map(name => `\`${name}\``);
    const answer = tool.output === resultSchema ? 'a result (below)' : fields.join(' ');
    return `| \`${tool.name}\` | ${argumentsOf(tool)} | ${firstSentence(tool.description)} | ${answer} |`;
  });
  return ['| tool | arguments | what it does | answer |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function promptTable(): string {
  const rows = PROMPTS.map(({ name, description, arguments: taken }) => {
    const names = taken.map(argument => `\`${argument.name}?\``).join(', ');
    return `| \`${name}\` | ${names} | ${cell(description)} |`;
  });
  return ['| prompt | arguments | what it finds out |', '| --- | --- | --- |', ...rows].join('\n');
}

function resultTable(): string {
  const rows = Object.entries(resultSchema.shape).map(([name, schema]) => {
    const presence = schema.safeParse(undefined).success ? 'sometimes' : 'always';
    return `| \`${name}\` | ${presence} | ${cell(schema.description ?? '')} |`;
  });
  return ['| field | there | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function mapLossTable(): string {
  const rows = MAP_LOSSES.map((loss: MapLoss) => {
    const versions = ['0.17', '0.23', '0.27'].filter(release => hasLoss(loss.id, Number(release.slice(2))));
    const which = versions.length === 3 ? 'all' : versions.join(', ');
    return `| ${which} | ${cell(loss.what)} | ${cell(loss.here)} |`;
  });
  return ['| bpftrace | what it does | here |', '| --- | --- | --- |', ...rows].join('\n');
}

function faultTable(): string {
  const rows = FAULT_ROWS.map(({ fault, seen, where }) => `| ${cell(fault)} | ${cell(seen)} | ${where} |`);
  return ['| fault | what is seen | shown by `npm test --` |', '| --- | --- | --- |', ...rows].join('\n');
}

function argumentsOf(tool: Tool): string {
  const schema = z.toJSONSchema(tool.input, { io: 'input' });
  const names = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const required = schema.required?.includes(name) ? '' : '?';
    const range =
      typeof property === 'object' && property.maximum !== undefined && property.maximum <= 1_000_000
        ? ` (${property.minimum ?? 0} to ${property.maximum})`
        : '';
    return `\`${name}${required}\`${range}`;
  });
  return names.join(', ');
}

function firstSentence(description: string): string {
  return cell(/^.*?\.(?=\s|$)/s.exec(description)?.[0] ?? description);
}

function settingTable(): string {
  const defaults = loadConfig({}, {});
  const rows = settingNames.map(name => {
    const range = (rangeOf(name) ?? '').replace(/^must be (a |one of )?/, '');
    const description = settings.shape[name].description ?? '';
    return `| \`--${flagOf(name)}\` | \`${variableOf(name)}\` | ${defaults[name]} | ${cell(range)} | ${cell(description)} |`;
  });
  return ['| flag | variable | default | range | meaning |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
