import { z } from 'zod';
import type { SeededRandom } from '../seeded-random.js';
import { hostileJson, hostileText } from './hostile-values.js';

const schemaSchema = z.record(z.string(), z.unknown());
const parameterSchema = z.object({ name: z.string(), in: z.enum(['path', 'query', 'header', 'cookie']) });
const operationSchema = z.object({
  parameters: z.array(parameterSchema).default([]),
  requestBody: z
    .object({ content: z.record(z.string(), z.object({ schema: schemaSchema.optional() })) })
    .optional(),
});
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly z.infer<typeof parameterSchema>[];
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** The calls of an edge, from its own OpenAPI document. */
export async function operationsOf(edgeUrl: string): Promise<Operation[]> {
  const { paths } = documentSchema.parse(await (await fetch(`${edgeUrl}/docs/json`)).json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content['application/json']?.schema,
    })),
  );
}

/** The sender of an input: valid and invalid keys, and ids of sessions. */
export interface Attacker {
  readonly credentials: readonly string[];
  readonly sessionIds: readonly string[];
  /** The source addresses that it claims. */
  readonly addresses: number;
}

/** A request for one of the calls, as bytes on the wire. Sometimes it is completely valid. */
export function restRequest(random: SeededRandom, operation: Operation, attacker: Attacker): Buffer {
  const value = (name: string) =>
    random.below(2) === 0 && /id/i.test(name) ? random.oneOf(attacker.sessionIds) : hostileText(random);
  const query = operation.parameters
    .filter((each) => each.in === 'query' && random.below(3) > 0)
    .map(({ name }) => `${name}=${random.below(5) === 0 ? value(name) : encoded(value(name))}`);
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encoded(value(name)));
  const headers = operation.parameters
    .filter((each) => each.in === 'header' && random.below(2) > 0)
    .map(({ name }) => `${name}: ${headerText(value(name))}`);
  const body =
    operation.body === undefined && random.below(8) > 0 ? undefined : bodyOf(random, operation, attacker);
  return httpRequest(random, attacker, {
    method:
      random.below(15) === 0
        ? random.oneOf(['PUT', 'HEAD', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])
        : operation.method,
    target: `${path}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

/** A request with credentials and an address of the attacker. */
export function httpRequest(
  random: SeededRandom,
  { credentials, addresses }: Attacker,
  request: { method: string; target: string; headers?: readonly string[]; body?: string },
): Buffer {
  const { method, target, headers = [], body } = request;
  const credential = headerText(random.below(4) === 0 ? hostileText(random) : random.oneOf(credentials));
  const address = random.below(addresses);
  const lines = [
    `${method} ${target.replaceAll(/[\s\r\n]/g, '+')} HTTP/1.1`,
    'Host: edge',
    `X-Forwarded-For: 198.18.${address >> 8}.${address & 255}`,
    random.below(2) === 0 ? `X-Api-Key: ${credential}` : `Authorization: Bearer ${credential}`,
    ...headers,
    ...(body === undefined
      ? []
      : [`Content-Type: ${random.below(8) === 0 ? 'text/html' : 'application/json'}`]),
  ];
  const bytes = Buffer.from(body ?? '');
  if (body !== undefined && random.below(4) === 0) {
    const chunk = [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'].map((each) =>
      Buffer.from(each),
    );
    return Buffer.concat([
      Buffer.from([...lines, 'Transfer-Encoding: chunked', '\r\n'].join('\r\n')),
      ...chunk,
    ]);
  }
  const length = random.below(20) === 0 ? bytes.length + random.below(50) : bytes.length;
  if (body !== undefined) lines.push(`Content-Length: ${length}`);
  return Buffer.concat([Buffer.from([...lines, '\r\n'].join('\r\n'), 'latin1'), bytes]);
}

function bodyOf(random: SeededRandom, { body, path }: Operation, { sessionIds }: Attacker): string {
  const properties = Object.keys(schemaSchema.safeParse(body?.properties).data ?? {});
  if (random.below(6) === 0) return JSON.stringify(hostileJson(random)) ?? '';
  const fields = properties
    .filter(() => random.below(6) > 0)
    .map((name) => [name, random.below(2) === 0 ? likely(random, name, sessionIds) : hostileJson(random)]);
  const made = Object.fromEntries([
    ...fields,
    // Otherwise each would create another session, and the number of a worker's sessions is not what is tested here.
    ...(path === '/api/sessions'
      ? [['id', random.below(3) === 0 ? hostileText(random) : random.oneOf(sessionIds)]]
      : []),
  ]);
  return JSON.stringify(made);
}

function likely(random: SeededRandom, name: string, sessionIds: readonly string[]): unknown {
  if (name === 'id') return random.oneOf(sessionIds);
  if (name === 'to' || name === 'phone') return '15551230001';
  return hostileText(random);
}

function encoded(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?'));
}

function headerText(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '-');
}
