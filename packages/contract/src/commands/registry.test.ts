import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Command, exampleBody, type RestCall } from './definition.js';
import { takesIdempotencyKey } from './idempotency.js';
import { COMMANDS, EDGE_CALLS, REST_CALLS } from './registry.js';

const commands = Object.entries<Command>(COMMANDS);
const calls = Object.entries<RestCall>(REST_CALLS);

/** The part of an example that an object takes. */
function fieldsOf({ shape }: z.ZodObject, example: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(example).filter(([name]) => name in shape));
}

describe('a REST call', () => {
  it('has a route and a name of its own', () => {
    const routes = calls.map(([, { route }]) => route.replaceAll(/:\w+/g, ':'));
    expect(new Set(routes).size).toBe(routes.length);
    expect(Object.keys(EDGE_CALLS).filter((name) => name in COMMANDS)).toEqual([]);
  });

  it.each(calls)('%s validates the parameters of its path, and no others', (_, { route, params }) => {
    const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name]) => name);
    expect(Object.keys(params?.shape ?? {}).sort()).toEqual(inPath.sort());
  });

  it.each(calls)('%s has an example if it has a body, and takes it', (_, call) => {
    const body = exampleBody(call);
    expect(body !== undefined && Object.keys(body).length > 0).toBe(call.body !== undefined);
    expect(call.body?.safeParse(body).error).toBeUndefined();
  });

  it.each(calls.filter(([, call]) => takesIdempotencyKey(call)))(
    '%s has answers of JSON and no other headers if it takes an Idempotency-Key',
    (_, { answers, headers }) => {
      expect(Object.values(answers).every((answer) => answer instanceof z.ZodType)).toBe(true);
      expect(headers).toBeUndefined();
    },
  );

  const answers = calls.flatMap(([name, call]) =>
    Object.entries(call.answers).flatMap(([status, answer]) =>
      answer instanceof z.ZodType ? [[name, status, answer] as const] : [],
    ),
  );
  it.each(answers)('%s answers %s as it is: nothing is changed while it is written', (_, _status, answer) => {
    // Zod refuses what it could only read, such as a transformed id.
    expect(() => z.toJSONSchema(answer, { io: 'output' })).not.toThrow();
  });

  it('takes an Idempotency-Key if it is a POST, unless its answer is secret', () => {
    const posts = calls.filter(([, { route }]) => route.startsWith('POST '));
    const without = posts.filter(([, call]) => !takesIdempotencyKey(call));
    expect(without.every(([, { isSecret }]) => isSecret)).toBe(true);
    expect(posts.length).toBeGreaterThan(without.length);
    expect(calls.filter(([, call]) => takesIdempotencyKey(call)).map(([name]) => name)).toContain(
      'send-message',
    );
  });

  it.each(calls)('%s costs something unless it is for the administrator', (_, { access, cost }) => {
    const request = { headers: {}, query: {} };
    const units = typeof cost === 'number' ? cost : cost.of(request);
    expect(units > 0).toBe(access !== 'admin');
  });
});

describe('a command', () => {
  it.each(commands)('%s leaves the names of the session to the bus', (_, { fields }) => {
    expect(Object.keys(fields.shape)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(kind|tenantId|sessionId)$/)]),
    );
  });

  it.each(
    commands.flatMap(([kind, command]) =>
      command.rest === undefined ? [] : [[kind, command, command.rest] as const],
    ),
  )('%s reads on the bus what the edge has read from the request', (_, { fields }, rest) => {
    const { example = {} } = rest;
    const read = {
      ...rest.params?.omit({ id: true }).parse(example),
      ...rest.query?.parse(fieldsOf(rest.query, example)),
      ...(rest.body?.parse(exampleBody(rest)) as object),
      ...('messageId' in fields.shape ? { messageId: 'M' } : {}),
    };
    expect(fields.parse(read)).toEqual(read);
  });

  it.each(commands)('%s gets an id from its sender if a worker is to execute it once', (_, command) => {
    expect('messageId' in command.fields.shape || command.execution.repeat === 'harmless').toBe(true);
  });
});
