import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  CLOSE_REASONS,
  DEFAULT_SETTINGS,
  ERRORS,
  EVENT_NAMES,
  effectOf,
  isResting,
  LINK_PROBLEMS,
  LINK_STEPS,
  linkProgressSchema,
  payloadSchemas,
  SESSION_STATUSES,
  SETTINGS_GROUPS,
  sessionSchema,
  sessionSettingsSchema,
  TENANT_LIMIT_NAMES,
  TENANT_LIMITS,
} from './index.js';

function readDoc(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
}

describe('docs/errors.md', () => {
  const rows = readDoc('errors.md')
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` \|/.test(line));

  it('has a row for each error of the registry, and no other', () => {
    const expected = Object.entries(ERRORS).map(
      ([code, { status, retryable, meaning }]) =>
        `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
    );
    expect(rows).toEqual(expected);
  });

  it('has a row for each reason to close a connection, and no other', () => {
    const closings = readDoc('errors.md')
      .split('\n')
      .filter((line) => /^\| 4\d{3} \|/.test(line));
    const expected = Object.entries(CLOSE_REASONS).map(
      ([reason, { code, reconnect, meaning }]) =>
        `| ${code} | \`${reason}\` | ${reconnect ? 'yes' : 'no'} | ${meaning} |`,
    );
    expect(closings).toEqual(expected);
  });
});

describe('docs/limits.md', () => {
  it('has a row for each limit of a tenant, and no other', () => {
    const rows = readDoc('limits.md')
      .split('\n')
      .filter((line) => /^\| `[a-zA-Z]+` \|/.test(line));
    const expected = TENANT_LIMIT_NAMES.map((name) => {
      const limit = { windowS: undefined, error: undefined, ...TENANT_LIMITS[name] };
      const value = `${limit.default} ${limit.unit}${limit.windowS === undefined ? '' : ` in ${limit.windowS} s`}`;
      const error = limit.error === undefined ? '' : `\`${limit.error}\``;
      return `| \`${name}\` | ${value} | ${limit.min} | ${error} | ${limit.meaning} |`;
    });
    expect(rows).toEqual(expected);
  });
});

describe('docs/settings.md', () => {
  function takes(schema: z.ZodType): string {
    if (schema instanceof z.ZodEnum) return schema.options.map((option) => `\`"${option}"\``).join(', ');
    if (schema instanceof z.ZodBoolean) return '`true`, `false`';
    if (schema instanceof z.ZodNumber) return `${schema.minValue} to ${schema.maxValue}`;
    return schema instanceof z.ZodArray ? 'a list' : 'a text';
  }

  it('has a row for each setting, and no other', () => {
    const rows = readDoc('settings.md')
      .split('\n')
      .filter((line) => /^\| `[a-zA-Z.]+` \|.*\|.*\|.*\|.*\|$/.test(line));
    const expected = SETTINGS_GROUPS.flatMap((group) => {
      const schema = sessionSettingsSchema.shape[group];
      const fields = schema instanceof z.ZodObject ? Object.entries<z.ZodType>(schema.shape) : [];
      const defaults = new Map<string, unknown>(Object.entries(DEFAULT_SETTINGS[group]));
      const all: [string, z.ZodType, unknown][] =
        fields.length === 0
          ? [[group, schema, DEFAULT_SETTINGS[group]]]
          : fields.map(([name, field]) => [`${group}.${name}`, field, defaults.get(name)]);
      const effect = effectOf(group, DEFAULT_SETTINGS);
      return all.map(
        ([name, field, value]) =>
          `| \`${name}\` | ${takes(field)} | \`${JSON.stringify(value)}\` | \`${effect}\` | ${field.description} |`,
      );
    });
    expect(rows).toEqual(expected);
  });
});

describe('close codes', () => {
  const kinds = Object.values(CLOSE_REASONS);

  it('are each used once, and show by their range whether to connect again', () => {
    expect(new Set(kinds.map(({ code }) => code)).size).toBe(kinds.length);
    for (const { code, reconnect } of kinds) {
      expect(code).toBeGreaterThanOrEqual(reconnect ? 4000 : 4500);
      expect(code).toBeLessThanOrEqual(reconnect ? 4499 : 4999);
    }
  });

  it('come with a reason that fits into a close frame', () => {
    for (const reason of Object.keys(CLOSE_REASONS))
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });
});

describe('docs/events.md', () => {
  const [, afterHeading = ''] = readDoc('events.md').split(/^## Payloads$/m);
  const [payloads = ''] = afterHeading.split(/^## /m);
  const sections = payloads
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      name: section.slice(0, section.indexOf('\n')),
      examples: [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']): unknown =>
        JSON.parse(text),
      ),
    }));

  it('has a section for each event, in the order of the contract', () => {
    expect(sections.map(({ name }) => name)).toEqual(EVENT_NAMES);
  });

  it.each(EVENT_NAMES)(
    'shows payloads of %s that its schema takes, without a field it does not know',
    (name) => {
      const examples = sections.find((section) => section.name === name)?.examples ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(payloadSchemas[name].parse(example)).toEqual(example);
    },
  );
});

describe('docs/sessions.md', () => {
  const doc = readDoc('sessions.md');
  const [, table = ''] = /^\| status \| means .*?\n(.*?)\n\n/ms.exec(doc) ?? [];
  const transitions = [...doc.matchAll(/^ {2}(\S+) --> (\S+): /gm)].map(([, from, to]) => ({ from, to }));

  it('has a row for each status of the contract, and no other', () => {
    expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, status]) => status)).toEqual(SESSION_STATUSES);
  });

  it('draws each status of the contract, and no other, each with a way in and a way out', () => {
    const states = [...SESSION_STATUSES].sort();
    const drawn = (end: 'from' | 'to') =>
      [...new Set(transitions.map((transition) => transition[end]))]
        .filter((state) => state !== '[*]')
        .sort();
    expect(drawn('to')).toEqual(states);
    expect(drawn('from')).toEqual(states);
  });

  it('leaves a status that rests by a restart alone', () => {
    for (const status of SESSION_STATUSES.filter(isResting)) {
      const ways = transitions.filter(({ from }) => from === status);
      expect(ways, status).toEqual([{ from: status, to: 'queued' }]);
    }
  });

  const [, linking = ''] = doc.split(/^## Linking a phone, step by step$/m);

  it('has a row for each step of a link and each problem, in the order of the contract, and no other', () => {
    const rows = linking.split('\n').filter((line) => /^\| `[a-z-]+` \|/.test(line));
    expect(rows).toEqual([
      ...Object.entries(LINK_STEPS).map(
        ([step, { meaning, next }]) => `| \`${step}\` | ${meaning} | ${next} |`,
      ),
      ...Object.entries(LINK_PROBLEMS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
    ]);
  });

  it('shows the progress of a link as REST gives it', () => {
    const [, example = ''] = /^```json\n(.*?)^```$/ms.exec(linking) ?? [];
    const link = linkProgressSchema.parse(JSON.parse(example));
    expect(link).toEqual(JSON.parse(example));
    expect(link.next).toBe(LINK_STEPS[link.step].next);
  });

  it('shows a session as REST gives it', () => {
    const [, example = ''] = /^```json\n(.*?)^```$/ms.exec(doc) ?? [];
    expect(sessionSchema.parse(JSON.parse(example))).toEqual(JSON.parse(example));
  });
});

describe('docs/adding-a-command.md', () => {
  it('shows the code as it is', () => {
    const blocks = [...readDoc('adding-a-command.md').matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];
    expect(blocks).toHaveLength(2);
    for (const [, path = '', code = ''] of blocks) {
      expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toContain(code);
    }
  });
});
