import { readFileSync } from 'node:fs';
import {
  type CommandKind,
  type CommandReply,
  DEFAULT_TENANT_LIMITS,
  exampleBody,
  KEY_SCOPES,
  type KeyScope,
  type ListedChat,
  REST_CALLS,
  type RestCall,
} from '@wafleet/contract';
import { readyFiles } from '@wafleet/session-bundle/testing';
import {
  ApiKeys,
  Cipher,
  JobWakeUps,
  MessageJobs,
  type NewApiKey,
  UploadRecords,
  verifyEncryptionKey,
} from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { handOut } from '../testing/hand-out.js';
import { encryptedFile, mediaConnection, TestMediaHost } from '../testing/media-host.js';
import { sendRequest } from '../testing/raw-request.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edge: TestEdge;
let worker: TestWorker;
let tenant: TestTenant;
let host: TestMediaHost;
const cipher = Cipher.fromHexKeys('07'.repeat(32));

const listedChat: ListedChat = {
  ...{ id: '1@lid', phone: null, lid: '1@lid', name: null, unreadCount: 0, markedAsUnread: false },
  ...{ archived: false, pinned: false, muted: false, mutedUntil: null, locked: false, readOnly: false },
  ...{ disappearing: 0, labels: [], lastMessageAt: null, lastMessageId: null },
};

beforeAll(async () => {
  [cluster, host] = await Promise.all([TestCluster.start(), TestMediaHost.start()]);
  // No message of a job reaches the worker by itself.
  edge = await cluster.startEdge({ media: { url: host.url }, jobsAtOnce: 0 });
  const { file, blob } = encryptedFile(Buffer.from('"a file"'), { directPath: '/v/a' });
  host.put(file.directPath, { body: blob });
  await verifyEncryptionKey(cluster.connection, cipher);
  worker = await cluster.startWorker(async (command) => {
    switch (command.kind) {
      case 'release':
        await handOut(worker.fenceOf(command), { redis: cluster.connection, cipher });
        return {};
      case 'pairing-code':
        return { code: 'K7QW3M9Z', expiresAt: new Date(Date.now() + 60_000).toISOString() };
      case 'get-passkey':
      case 'sign-passkey':
      case 'confirm-passkey':
        return { stage: 'requested', expiresAt: new Date(Date.now() + 60_000).toISOString() };
      case 'check-numbers':
      case 'list-blocked':
        return { items: [] };
      case 'list-chats':
      case 'list-contacts':
        return { items: [], truncated: false };
      case 'get-chat':
        return listedChat;
      case 'request-history':
        return { requestId: 'R1' };
      case 'get-contact':
        return { phone: '15550001001', lid: null };
      case 'get-contact-picture':
        return { url: null };
      case 'get-contact-about':
        return { about: null };
      case 'get-profile':
        return { phone: '15551230001', lid: null, name: null, about: null, pictureUrl: null };
      case 'get-restrictions':
        return {
          timeLock: { isActive: false, until: null, type: null },
          ...{ newChats: null, pausedUntil: null, pauseReason: null, refusals: 0 },
          pacing: { sends: null, newChats: null },
        };
      case 'find-media':
        return { file };
      case 'open-media-connection':
        return mediaConnection(command, host);
      default:
        return (
          groupReply(command.kind) ??
          channelReply(command.kind) ??
          ('messageId' in command ? { messageId: 'M' } : {})
        );
    }
  });
});
beforeEach(async () => {
  tenant = await cluster.createTenant();
});
afterAll(async () => {
  await cluster.stop();
  await host.stop();
});

/** What a worker answers to a command about groups; undefined for others and for those without an answer. */
function groupReply(kind: CommandKind): CommandReply | undefined {
  const group = { id: '120363061982759618@g.us', subject: 'Team' };
  switch (kind) {
    case 'create-group':
      return { group, participants: [] };
    case 'create-community':
      return { community: group };
    case 'list-community-groups':
    case 'list-groups':
    case 'list-group-participants':
    case 'list-group-join-requests':
      return { items: [] };
    case 'get-group':
    case 'get-invited-group':
      return group;
    case 'change-group-participants':
    case 'answer-group-join-requests':
      return { participants: [] };
    case 'get-group-invitation':
    case 'revoke-group-invitation':
      return { code: 'AbCdEfGhIjKlMnOpQrStUv', url: 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv' };
    case 'join-group':
      return { group: group.id, result: 'joined' };
    default:
      return undefined;
  }
}

/** The same for commands about channels, statuses and businesses. */
function channelReply(kind: CommandKind): CommandReply | undefined {
  const none = { description: null, pictureUrl: null, invitation: null, link: null };
  switch (kind) {
    case 'get-channel':
    case 'get-channel-by-invitation':
    case 'create-channel':
      return { id: '120363144038483540@newsletter', name: 'News', verified: false, ...none };
    case 'list-channels':
    case 'list-channel-messages':
    case 'get-catalog':
    case 'get-collections':
      return { items: [] };
    case 'post-status':
      return { messageId: 'M', notOnWhatsApp: [] };
    case 'get-business-profile':
    case 'get-own-business-profile':
      return { description: null, address: null, email: null, websites: [], categories: [], hours: null };
    case 'get-order':
      return { totalAmount1000: null, currencyCode: null, products: [] };
    default:
      return undefined;
  }
}

interface KeyCall {
  /** As the documentation has it. */
  readonly path: string;
  /** The same with the parameters of an example, besides that of the session. */
  readonly request: string;
  readonly body?: object | undefined;
  readonly scope: KeyScope;
}

/** Every call that takes an API key. */
const keyCalls = Object.entries<RestCall>(REST_CALLS).flatMap(([name, call]): KeyCall[] => {
  const { route, access, example = {}, isHidden } = call;
  if (access === 'admin' || access === 'passkey-link' || isHidden === true) return [];
  const path = route.replaceAll(/:(\w+)/g, '{$1}');
  const request = Object.entries(example).reduce(
    (text, [field, value]) => (field === 'id' ? text : text.replace(`{${field}}`, String(value))),
    path,
  );
  return [
    { path, request, scope: access, body: name === 'create-session' ? { id: 'later' } : exampleBody(call) },
  ];
});
/** Whether a key with the scope gets a stream: see event-calls.test.ts. */
const isStream = ({ request }: KeyCall) => request === 'GET /api/events';
const calls = keyCalls.filter((each) => !isStream(each));
const streaming = keyCalls.filter(isStream);
const callsOfSession = calls.filter(({ request }) => request.includes('{id}'));

async function keyWith(limits: NewApiKey, { tenantId }: TestTenant = tenant): Promise<string> {
  const { key } = await new ApiKeys(cluster.connection).create(tenantId, limits);
  return key;
}

const isImport = ({ path }: KeyCall) => path === 'POST /api/sessions/import';
const isOfJob = ({ path }: KeyCall) => path.includes('{job}');
const isExport = ({ path }: KeyCall) => path.endsWith('/export');

function run(made: KeyCall, key: string, sessionId = 'shop-1') {
  const { request } = made;
  const body = isImport(made) ? { id: 'later', from: 'baileys', files: readyFiles() } : made.body;
  // The same id for all requests, so that answers can be compared as a whole.
  const headers = { 'request-id': 'same' };
  return sendRequest(edge.url, request.replace('{id}', sessionId), { key, body, headers });
}

/** A session that a phone can be linked to. */
async function offer(sessionId: string, { tenantId }: TestTenant = tenant): Promise<void> {
  const fence = await worker.own(tenantId, sessionId);
  await worker.sessions.setStatus(fence, { status: 'awaiting_link' });
  await worker.offers.putQr(fence, { qr: 'a secret', expiresAt: Date.now() + 60_000 });
}

/** The job of the examples, in the future. */
async function storeJob(sessionId: string): Promise<void> {
  const { tenantId } = tenant;
  const { job: jobId } = REST_CALLS['get-job'].example;
  const wakeUps = new JobWakeUps(cluster.connection);
  const jobs = new MessageJobs(cluster.connection, { limits: DEFAULT_TENANT_LIMITS, wakeUps });
  const messages = [{ to: '15550001001', text: '{}' }];
  await jobs.create({ tenantId, jobId }, { sessionId, messages, at: Date.now() + 3_600_000 });
}

/** Stores the upload that the call names. */
async function keepUpload({ request }: KeyCall, sessionId: string): Promise<void> {
  const uploadId = request.split('/').at(-1) ?? '';
  const shown = { uploadId, type: 'document' as const, mimetype: 'text/plain', bytes: 1 };
  const { file } = encryptedFile(Buffer.from('x'), { directPath: '/v/b' });
  const { mediaKey, directPath, mimetype, sha256 = '', encryptedSha256 = '' } = file;
  const media = { mediaKey, directPath, mimetype, sha256, encryptedSha256, length: 1, keyMadeAt: 1 };
  const ref = { tenantId: tenant.tenantId, sessionId };
  await new UploadRecords(cluster.connection).put(ref, shown, media);
}

/** A session that the call succeeds for. */
async function offerFor(made: KeyCall, sessionId: string): Promise<void> {
  await offer(sessionId);
  if (isOfJob(made)) await storeJob(sessionId);
  if (made.path.endsWith('/uploads/{uploadId}')) await keepUpload(made, sessionId);
  if (!isExport(made)) return;
  const fence = worker.fenceOf({ tenantId: tenant.tenantId, sessionId });
  await worker.sessions.setStatus(fence, { status: 'open', phone: '15551230001' });
}

const isGet = ({ request }: KeyCall) => request.startsWith('GET');

describe('the scopes', () => {
  it('are documented for every call that takes an API key', async () => {
    const operation = z.object({ security: z.array(z.record(z.string(), z.array(z.string()))) });
    const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });
    const { paths } = document.parse((await sendRequest(edge.url, 'GET /docs/json')).body);
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(
          ([, { security }]) =>
            !security.some((scheme) => 'adminToken' in scheme || 'passkeyToken' in scheme),
        )
        .map(([method, { security }]) => [`${method.toUpperCase()} ${path}`, security]),
    );
    const expected = keyCalls.map(({ path, scope }) => [path, [{ apiKey: [scope] }, { bearerKey: [scope] }]]);
    expect(new Map(documented as [string, unknown][])).toEqual(new Map(expected as [string, unknown][]));
  });

  it('have a row each in docs/api-keys.md', () => {
    const doc = readFileSync(new URL('../../../../docs/api-keys.md', import.meta.url), 'utf8');
    const rows = [...doc.matchAll(/^\| `(\w+:\w+)` \| .* \|$/gm)].map(([, scope]) => scope);
    expect(rows).toEqual(KEY_SCOPES);
  });

  it.each(calls)('$request: takes a key with $scope alone', async (made) => {
    await offerFor(made, 'shop-1');
    const answer = await run(made, await keyWith({ scopes: [made.scope] }));
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  });

  it.each([...calls, ...streaming])('$request: refuses a key with all but $scope', async (made) => {
    await offer('shop-1');
    const before = worker.received.length;
    const key = await keyWith({ scopes: KEY_SCOPES.filter((scope) => scope !== made.scope) });
    expect(await run(made, key)).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', details: { scope: made.scope } } },
    });
    expect(worker.received.length).toBe(before);
    expect(await cluster.sessions.get({ tenantId: tenant.tenantId, sessionId: 'shop-1' })).toBeDefined();
    expect(await cluster.sessions.get({ tenantId: tenant.tenantId, sessionId: 'later' })).toBeUndefined();
  });

  it('count for HEAD as for GET', async () => {
    const key = await keyWith({ scopes: ['messages:write'] });
    expect(await sendRequest(edge.url, 'HEAD /api/sessions', { key })).toMatchObject({ status: 403 });
  });

  it('tell nothing of a session to a key that lacks one', async () => {
    await offer('shop-1');
    const key = await keyWith({ scopes: ['events:read'] });
    for (const made of callsOfSession.filter(({ scope }) => scope !== 'events:read')) {
      const existing = await run(made, key, 'shop-1');
      expect(existing.body).toEqual((await run(made, key, 'unknown')).body);
    }
  });
});

describe('a key with a list of sessions', () => {
  it.each(calls.filter(({ request }) => request !== 'GET /api/sessions'))(
    '$request: serves those in its list',
    async (made) => {
      await offerFor(made, 'shop-1');
      const answer = await run(made, await keyWith({ sessions: ['shop-1', 'later'] }));
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    },
  );

  it.each(callsOfSession)('$request: answers for others as for those that do not exist', async (made) => {
    const other = await cluster.createTenant();
    await offer('shop-2');
    await offer('theirs', other);
    const unlimited = await keyWith({});
    const key = await keyWith({ sessions: ['shop-1', 'theirs'] });
    const before = worker.received.length;
    const answers = [
      await run(made, unlimited, 'unknown'),
      await run(made, key, 'unknown'),
      await run(made, key, 'shop-2'),
      await run(made, key, 'theirs'),
      await run(made, key, 'shop-1'),
    ].map(({ status, body }) => [
      status,
      JSON.stringify(body).replaceAll(/unknown|shop-1|shop-2|theirs/g, '…'),
    ]);
    expect(answers[0]).toEqual([404, expect.stringContaining('SESSION_NOT_FOUND')]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(worker.received.length).toBe(before);
    expect(await cluster.sessions.get({ tenantId: tenant.tenantId, sessionId: 'shop-2' })).toBeDefined();
  });

  it('lists those only', async () => {
    for (const id of ['shop-1', 'shop-2', 'shop-3']) await offer(id);
    const key = await keyWith({ sessions: ['shop-3', 'shop-1', 'none'] });
    expect(await sendRequest(edge.url, 'GET /api/sessions', { key })).toMatchObject({
      body: { items: [{ id: 'shop-1' }, { id: 'shop-3' }] },
    });
  });

  it.each([{ id: 'shop-2' }, { id: 'SHOP-1' }, { name: 'no id' }, {}, undefined])(
    'makes no other: %j',
    async (body) => {
      await offer('shop-2');
      const key = await keyWith({ sessions: ['shop-1'] });
      expect(await sendRequest(edge.url, 'POST /api/sessions', { key, body })).toMatchObject({
        status: 403,
        body: { error: { code: 'FORBIDDEN' } },
      });
      expect(await cluster.sessions.list(tenant.tenantId)).toHaveLength(1);
    },
  );

  it('makes those in its list', async () => {
    const key = await keyWith({ sessions: ['shop-1'] });
    const create = () => sendRequest(edge.url, 'POST /api/sessions', { key, body: { id: 'shop-1' } });
    expect(await create()).toMatchObject({ status: 201, body: { id: 'shop-1' } });
    expect(await create()).toMatchObject({ status: 409, body: { error: { code: 'SESSION_EXISTS' } } });
  });

  it.each([
    'SHOP-1',
    'Shop-1',
    'shop-1%00',
    'shop-1%20',
    'shop-1%2F..%2Fshop-2',
    '..%2Fshop-2',
    'shop%2D2',
    'shop%E2%80%911',
    '%EF%BD%93hop-1',
    'shop-1,shop-2',
    '__proto__',
    'constructor',
  ])('is not widened by spelling: %s', async (spelt) => {
    await offer('shop-1');
    await offer('shop-2');
    const key = await keyWith({ sessions: ['shop-1'] });
    for (const made of callsOfSession.filter(isGet)) {
      const { status, body } = await run(made, key, spelt);
      expect([400, 404], JSON.stringify(body)).toContain(status);
    }
  });
});
