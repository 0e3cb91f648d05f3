import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HelperLink } from '../helper-link.js';
import { callApi } from './call-api.js';

const view = { stage: 'signed', expiresAt: '2026-07-01T10:00:00.000Z' };

let server: Server;
let link: HelperLink;
let answer: { status: number; body: string; location?: string };
let received: string[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`.trim());
    const { status, location } = answer;
    response.writeHead(status, location === undefined ? {} : { location }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  link = { token: 'a'.repeat(43), apiUrl: `http://127.0.0.1:${port}/wa` };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answer = { status: 200, body: JSON.stringify(view) };
});

it('each call has its method, path, token and body', async () => {
  const assertion = {
    ...{ id: 'AQ', rawId: 'AQ', type: 'public-key' as const },
    response: { clientDataJSON: 'AQ', authenticatorData: 'AQ', signature: 'AQ', userHandle: null },
  };
  const expected = {
    kind: 'view',
    view: { stage: 'signed', expiresAt: Date.parse(view.expiresAt), isCodeOptional: false },
  };
  expect(await callApi(link, { name: 'get' })).toEqual(expected);
  expect(await callApi(link, { name: 'sign', assertion })).toEqual(expected);
  expect(await callApi(link, { name: 'confirm', matches: true })).toEqual(expected);
  const bearer = `Bearer ${link.token}`;
  expect(received).toEqual([
    `GET /wa/api/passkey ${bearer}`,
    `POST /wa/api/passkey/assertion ${bearer} ${JSON.stringify(assertion)}`,
    `POST /wa/api/passkey/confirmation ${bearer} {"matches":true}`,
  ]);
});

it('an error of the API is reported with its code', async () => {
  answer = { status: 409, body: JSON.stringify({ error: { code: 'PASSKEY_NOT_REQUESTED', message: 'x' } }) };
  const outcome = { kind: 'refused', status: 409, code: 'PASSKEY_NOT_REQUESTED' };
  expect(await callApi(link, { name: 'get' })).toEqual(outcome);
});

it.each([
  { status: 200, body: '{}' },
  { status: 200, body: '<html>' },
  { status: 502, body: '<html>' },
  { status: 502, body: '{}' },
])('$status $body is not an answer of the API', async (other) => {
  answer = other;
  expect(await callApi(link, { name: 'get' })).toEqual({ kind: 'unreachable' });
});

it('a redirect is not followed: another server must not get the token', async () => {
  answer = { status: 307, body: '', location: `${link.apiUrl}/elsewhere` };
  expect(await callApi(link, { name: 'get' })).toEqual({ kind: 'unreachable' });
  expect(received).toHaveLength(1);
});

it('a server that is away counts as unreachable', async () => {
  expect(await callApi({ ...link, apiUrl: 'http://127.0.0.1:1' }, { name: 'get' })).toEqual({
    kind: 'unreachable',
  });
});
