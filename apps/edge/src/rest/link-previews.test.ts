import { AddressRules } from '@wafleet/egress';
import { answering, webServerForTest } from '@wafleet/egress/testing';
import type { Handle } from '@wafleet/store/testing';
import { beforeEach, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';

const fixture = useCluster({ uploads: { fetchRules: AddressRules.parse('127.0.0.1') } });

/** What the worker was to send. */
const received: object[] = [];
/** Echoes the message id, as a worker does once WhatsApp has taken the message. */
const deliver: Handle = async (command) => {
  received.push(command);
  return 'messageId' in command ? { messageId: command.messageId } : {};
};

beforeEach(async () => {
  received.length = 0;
  const worker = await fixture.cluster.startWorker(deliver);
  await worker.own(fixture.tenant.tenantId, 'shop-1');
});

const page = answering('<title>A</title>', { 'content-type': 'text/html' });

function bodyFor(text: string, linkPreview: unknown) {
  return { to: '15551230001', content: { type: 'text', text, linkPreview } };
}

function send(body: unknown, headers = {}) {
  const { edge, tenant } = fixture;
  return sendRequest(edge.url, 'POST /api/sessions/shop-1/messages', { key: tenant.key, body, headers });
}

it('the worker gets the preview, and the answer says that there is one', async () => {
  const { url } = await webServerForTest(page);
  const answer = await send(bodyFor(`see ${url}`, true));
  expect(answer).toMatchObject({ status: 200, body: { messageId: expect.any(String), linkPreview: true } });
  const content = { type: 'text', text: `see ${url}`, linkPreview: { url, title: 'A' } };
  expect(received).toMatchObject([{ kind: 'send-message', content }]);
});

it('a message without its preview is sent, and the answer says so', async () => {
  const { url } = await webServerForTest(answering('', {}, 500));
  expect(await send(bodyFor(url, { url }))).toMatchObject({ status: 200, body: { linkPreview: false } });
  expect(received).toMatchObject([{ content: { type: 'text', text: url } }]);
  expect(JSON.stringify(received)).not.toContain('linkPreview');
});

it('the answer says nothing of a preview that was not to be fetched', async () => {
  const url = 'https://a.example/';
  const { body } = await send(bodyFor(url, { url, title: 'given' }));
  expect(Object.keys(body as object)).toEqual(['messageId']);
  expect(received).toMatchObject([{ content: { linkPreview: { url, title: 'given' } } }]);
});

it('a message that is repeated with its key is not fetched for again', async () => {
  const server = await webServerForTest(page);
  const headers = { 'idempotency-key': 'k-1' };
  const first = await send(bodyFor(server.url, true), headers);
  const second = await send(bodyFor(server.url, true), headers);
  expect(second.body).toEqual(first.body);
  expect(received).toHaveLength(1);
  expect(server.heads).toHaveLength(1);
});

it.each([
  [false, 'linkPreview'],
  ['https://a.example', 'linkPreview'],
  [{ url: 'https://b.example' }, 'linkPreview.url'],
  [{ url: 'file:///etc/passwd' }, 'linkPreview.url'],
  [{ url: 'https://a.example', description: 'about' }, 'linkPreview.title'],
  [{ url: 'https://a.example', image: 'https://a.example/b.png' }, 'linkPreview'],
])('the preview %j is refused', async (linkPreview, path) => {
  const answer = await send(bodyFor('https://a.example file:///etc/passwd', linkPreview));
  expect(answer).toMatchObject({
    status: 400,
    body: { error: { code: 'VALIDATION_FAILED', message: expect.stringContaining(path) } },
  });
  expect(received).toEqual([]);
});
