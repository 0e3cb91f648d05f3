import { MAX_CHECKED_NUMBERS, PICTURE_LIMITS } from '@wafleet/contract';
import type { Handle, TestWorker } from '@wafleet/store/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';

const fixture = useCluster();
let worker: TestWorker;

const answer: Handle = async ({ kind }) => (kind === 'get-contact-picture' ? { url: null } : {});

beforeEach(async () => {
  worker = await fixture.cluster.startWorker(answer);
  await worker.own(fixture.tenant.tenantId, 'shop-1');
});

const send = (request: string, body?: unknown) => {
  const [method = '', path = ''] = request.split(' ');
  return fixture.send(`${method} /api/sessions/shop-1/${path}`, body);
};

it('the parameters of a query reach the worker, with their defaults', async () => {
  expect(await send('GET contacts/%2B15550001001/picture?size=preview')).toMatchObject({ status: 200 });
  expect(await send('GET contacts/106825993066104%40lid/picture')).toMatchObject({ status: 200 });
  expect(worker.received).toMatchObject([
    { kind: 'get-contact-picture', contact: '+15550001001', size: 'preview' },
    { kind: 'get-contact-picture', contact: '106825993066104@lid', size: 'full' },
  ]);
});

it('a list is asked for with its defaults, and a request for history is accepted', async () => {
  worker.handle = async ({ kind }) =>
    kind === 'request-history' ? { requestId: 'R1' } : { items: [], truncated: false };
  expect(await send('GET chats')).toMatchObject({ status: 200, body: { items: [], truncated: false } });
  expect(await send('GET contacts?query=ada&saved=true')).toMatchObject({ status: 200 });
  const asked = await send('POST chats/15550001001/history', { before: { messageId: 'A1' } });
  expect(asked).toMatchObject({ status: 202, body: { requestId: 'R1' } });
  expect(worker.received).toMatchObject([
    { kind: 'list-chats', limit: 50 },
    { kind: 'list-contacts', query: 'ada', saved: 'true' },
    { kind: 'request-history', chat: '15550001001', before: { messageId: 'A1' } },
  ]);
});

describe('a call with bad input is refused before it reaches a worker', () => {
  const tooMany = Array.from({ length: MAX_CHECKED_NUMBERS + 1 }, (_, index) =>
    String(15_550_000_000 + index),
  );
  const tooLarge = 'A'.repeat(Math.ceil(PICTURE_LIMITS.maxBytes / 3) * 4 + 4);

  it.each([
    ['GET contacts/15550001001/picture?size=huge', undefined],
    ['GET contacts/15550001001/picture?width=96', undefined],
    ['GET contacts/120363061982759618%40g.us', undefined],
    ['GET contacts/0123', undefined],
    ['GET blocked?cursor=', undefined],
    ['POST contacts/check', { numbers: [] }],
    ['POST contacts/check', { numbers: tooMany }],
    ['POST contacts/check', { numbers: ['not a number'] }],
    ['PUT contacts/15550001001', { name: ' ' }],
    ['PUT contacts/15550001001', { name: 'Ada', email: 'ada@example.org' }],
    ['PUT chats/15550001001/mute', { seconds: 5 }],
    ['PUT chats/15550001001/disappearing', { seconds: 60 }],
    ['PUT chats/status%40broadcast/archive', undefined],
    ['PUT labels/seven', { name: 'Paid', color: 3 }],
    ['PUT labels/7', { name: 'Paid', color: 20 }],
    ['PUT profile/name', { name: 'x'.repeat(26) }],
    ['PUT profile/about', { about: 'x'.repeat(140) }],
    ['PUT profile/picture', { image: 'not base64!' }],
    ['PUT profile/picture', { image: tooLarge }],
    ['PATCH privacy', {}],
    ['PATCH privacy', { lastSeen: 'none', about: 'none' }],
    ['PATCH privacy', { lastSeen: 'friends' }],
    ['PUT presence', { presence: 'composing' }],
    ['POST calls/a%20b/reject', {}],
    ['GET chats?limit=0', undefined],
    ['GET chats?limit=201', undefined],
    ['GET chats?cursor=abc', undefined],
    ['GET chats?archived=yes', undefined],
    ['GET chats/status%40broadcast', undefined],
    ['GET contacts?saved=false', undefined],
    ['GET contacts?query=', undefined],
    ['POST chats/15550001001/history', { count: 51 }],
    ['POST chats/15550001001/history', { before: {} }],
    ['POST chats/15550001001/history', { before: { messageId: 'A', sentAt: 'yesterday' } }],
  ])('%s %j', async (request, body) => {
    expect(await send(request, body)).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED' } },
    });
    expect(worker.received).toEqual([]);
  });
});
