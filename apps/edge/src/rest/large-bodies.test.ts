import { once } from 'node:events';
import { Agent, type ClientRequest, request } from 'node:http';
import { MOVING_BODY_LIMIT } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { type Answer, errorAnswer, sendRequest } from '../testing/raw-request.js';
import { BODY_LIMIT } from './http-server.js';

const SMALL = { from: 'baileys', files: {} };
const LARGE = { from: 'baileys', files: { 'creds.json': 'x'.repeat(BODY_LIMIT) } };
const BUSY = errorAnswer(503, 'UNAVAILABLE', { retryAfterMs: 2_000 });

const fixture = useCluster();
const begun: ClientRequest[] = [];

afterEach(() => {
  for (const upload of begun.splice(0)) upload.destroy();
});

/** Sends an import, of a tenant of its own: imports are dear, and are not to meet the rate of a tenant. */
async function send(body: unknown): Promise<Answer> {
  const { key } = await fixture.cluster.createTenant();
  return sendRequest(fixture.edge.url, 'POST /api/sessions/import', { key, body });
}

/** Begins an import whose body does not end. `length` is what its header says; undefined for none. */
async function begin(length: number | undefined, tenantKey?: string): Promise<ClientRequest> {
  const key = tenantKey ?? (await fixture.cluster.createTenant()).key;
  const upload = request(`${fixture.edge.url}/api/sessions/import`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(length === undefined ? {} : { 'content-length': length }),
    },
  });
  upload.on('error', () => {});
  upload.write('{');
  begun.push(upload);
  return upload;
}

/** Waits until the edge takes large bodies, or takes none. */
async function takesLarge(isTaken: boolean): Promise<void> {
  await waitFor(async () => ((await send(LARGE)).status !== 503) === isTaken, {
    what: `large bodies are taken: ${isTaken}`,
  });
}

test('while two of the largest bodies are read, a third is refused at once, and small ones are read', async () => {
  await takesLarge(true);
  const uploads = [await begin(MOVING_BODY_LIMIT), await begin(undefined)];
  await takesLarge(false);
  expect(await send(LARGE)).toMatchObject(BUSY);
  for (const answer of await Promise.all(Array.from({ length: 5 }, () => send(SMALL))))
    expect(answer).toMatchObject(errorAnswer(422, 'BUNDLE_INVALID'));

  // The answer comes before the body was sent.
  const [third] = await once(await begin(2 * BODY_LIMIT), 'response');
  expect(third.statusCode).toBe(503);

  uploads[0]?.destroy();
  await takesLarge(true);
});

test('small bodies take no place of large ones', async () => {
  await takesLarge(true);
  for (let count = 0; count < 5; count += 1) await begin(BODY_LIMIT);
  expect(await send(SMALL)).toMatchObject(errorAnswer(422, 'BUNDLE_INVALID'));
  expect((await send(LARGE)).status).not.toBe(503);
});

test('bodies that are smaller are read beside each other', async () => {
  await takesLarge(true);
  for (let count = 0; count < 5; count += 1) await begin(2 * BODY_LIMIT);
  expect(await send(LARGE)).toMatchObject(errorAnswer(422, 'BUNDLE_INVALID'));
});

test('a tenant leaves room to the others, however slowly it sends', async () => {
  await takesLarge(true);
  const { key } = await fixture.cluster.createTenant();
  const slow = await begin(undefined, key);
  const [refused] = await once(await begin(2 * BODY_LIMIT, key), 'response');
  expect(refused.statusCode).toBe(503);
  expect((await send(LARGE)).status).toBe(422);
  expect(slow.destroyed).toBe(false);
});

test('a body that is too large is answered while it is sent, and its connection goes on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const { key } = await fixture.cluster.createTenant();
  const post = (body: object) =>
    request(`${fixture.edge.url}/api/sessions`, { ...body, agent, method: 'POST' }).on('error', () => {});
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const length = 20 * BODY_LIMIT;
  const upload = post({ headers: { ...headers, 'content-length': length } });
  upload.write(Buffer.alloc(length / 2, 'x'));
  const [answer] = await once(upload, 'response');
  expect(answer.statusCode).toBe(413);
  answer.resume();
  upload.end(Buffer.alloc(length / 2, 'x'));
  await once(upload, 'close');
  const next = post({ headers }).end('{}');
  const [created] = await once(next, 'response');
  expect(created.statusCode).toBe(201);
  expect(next.reusedSocket).toBe(true);
});
