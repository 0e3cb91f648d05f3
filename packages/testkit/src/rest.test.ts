import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { tenantSchema } from '@wafleet/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AdminClient } from './admin-client.js';
import { ApiError } from './rest.js';

let server: Server;
let url: string;

/** Answers as an edge does, and echoes the request if a test needs it. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    const authorized = request.headers.authorization === 'Bearer right';
    response.statusCode = authorized ? 201 : 401;
    response.end(
      authorized
        ? JSON.stringify({ id: 'tenant_1', name: `${request.method} ${request.url} ${body}` })
        : JSON.stringify({ error: { code: 'UNAUTHORIZED', message: 'No.' } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

it('sends a body as JSON and checks the answer by its schema', async () => {
  const tenant = await new AdminClient(() => url, 'right').createTenant('Acme');
  expect(tenantSchema.parse(tenant)).toEqual({ id: 'tenant_1', name: 'POST /api/tenants {"name":"Acme"}' });
});

it('rejects with the code of an error', async () => {
  const failure = new AdminClient(() => url, 'wrong').createTenant('Acme');
  await expect(failure).rejects.toThrow(ApiError);
  await expect(failure).rejects.toMatchObject({
    status: 401,
    code: 'UNAUTHORIZED',
    message: 'POST /api/tenants answered 401 UNAUTHORIZED: No.',
  });
});
