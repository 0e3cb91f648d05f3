import { WafleetError } from '@wafleet/contract';
import type { Handle } from '@wafleet/store/testing';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';

const fixture = useCluster();

const GROUP = '120363061982759618@g.us';
const CODE = 'AbCdEfGhIjKlMnOpQrStUv';

async function startOwner(handle: Handle) {
  const worker = await fixture.cluster.startWorker(handle);
  await worker.own(fixture.tenant.tenantId, 'shop-1');
  return worker;
}

describe('a list of groups', () => {
  it('asks the worker for a page: numbers of the query are numbers there', async () => {
    const worker = await startOwner(async () => ({ items: [], nextCursor: GROUP }));
    const list = (query: string) => fixture.send(`GET /api/sessions/shop-1/groups${query}`);
    expect(await list(`?limit=7&cursor=${GROUP}`)).toMatchObject({
      status: 200,
      body: { items: [], nextCursor: GROUP },
    });
    expect(await list('')).toMatchObject({ status: 200 });
    const ref = { kind: 'list-groups', tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' };
    expect(worker.received).toEqual([
      { ...ref, limit: 7, cursor: GROUP },
      { ...ref, limit: 100 },
    ]);
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', 'cursor=', `cursor=${'x'.repeat(201)}`])(
    'refuses %s',
    async (query) => {
      const worker = await startOwner(async () => ({ items: [] }));
      for (const path of ['groups', `groups/${GROUP}/participants`]) {
        expect(await fixture.send(`GET /api/sessions/shop-1/${path}?${query}`)).toMatchObject(
          errorAnswer(400, 'VALIDATION_FAILED'),
        );
      }
      expect(worker.received).toEqual([]);
    },
  );
});

describe('calls about a group', () => {
  it.each([
    '1',
    'group@g.us',
    '15551230001@s.whatsapp.net',
    '120363061982759618@newsletter',
    '120363061982759618',
    'status@broadcast',
    '%2e%2e%2fevents',
    `${'1'.repeat(21)}@g.us`,
    '120363061982759618@g.us%00',
    '__proto__',
  ])('refuse the id %s', async (id) => {
    const worker = await startOwner(async () => ({}));
    for (const call of [`GET /groups/${id}`, `POST /groups/${id}/leave`, `GET /groups/${id}/invitation`]) {
      const answer = await fixture.send(call.replace(' ', ' /api/sessions/shop-1'));
      expect([400, 404]).toContain(answer.status);
      expect(answer.body).toMatchObject({
        error: { code: expect.stringMatching(/^(VALIDATION_FAILED|ROUTE_NOT_FOUND)$/) },
      });
    }
    expect(worker.received).toEqual([]);
  });

  it.each([
    ['no people', { action: 'add', participants: [] }],
    ['10,000 people', { action: 'add', participants: Array.from({ length: 10_000 }, () => '15551230001') }],
    ['a group as a person', { action: 'add', participants: [GROUP] }],
    ['a device as a person', { action: 'add', participants: ['15551230001:3@s.whatsapp.net'] }],
    ['an unknown action', { action: 'ban', participants: ['15551230001'] }],
    ['an unknown field', { action: 'add', participants: ['15551230001'], force: true }],
    ['another session', { action: 'add', participants: ['15551230001'], sessionId: 'theirs' }],
    ['no list', { action: 'add', participants: '15551230001' }],
    ['nothing', undefined],
  ])('refuse changes of participants with %s', async (_, body) => {
    const worker = await startOwner(async () => ({ participants: [] }));
    expect(await fixture.send(`POST /api/sessions/shop-1/groups/${GROUP}/participants`, body)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED'),
    );
    expect(worker.received).toEqual([]);
  });

  it.each([
    ['a blank subject', { subject: '   ' }],
    ['a long subject', { subject: 'x'.repeat(101) }],
    ['a long description', { desc: 'x'.repeat(2_049) }],
    ['an unknown lifetime', { ephemeralDuration: 60 }],
    ['an unknown setting', { locked: true }],
    ['a setting of another type', { announce: 'true' }],
  ])('refuse a change with %s', async (_, body) => {
    const worker = await startOwner(async () => ({}));
    expect(await fixture.send(`PATCH /api/sessions/shop-1/groups/${GROUP}`, body)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED'),
    );
    expect(worker.received).toEqual([]);
  });

  it('answer with the errors of the worker', async () => {
    await startOwner(async () => {
      throw new WafleetError('NOT_GROUP_ADMIN', 'Only admins of the group may do this.', {
        done: ['subject'],
      });
    });
    const body = { subject: 'Team', announce: true };
    expect(await fixture.send(`PATCH /api/sessions/shop-1/groups/${GROUP}`, body)).toMatchObject(
      errorAnswer(403, 'NOT_GROUP_ADMIN', { done: ['subject'] }),
    );
  });
});

describe('an invitation', () => {
  it.each([CODE, `https://chat.whatsapp.com/${CODE}`, `https://chat.whatsapp.com/${CODE}?mode=ac_t`])(
    'may be %s',
    async (invitation) => {
      const worker = await startOwner(async () => ({ group: GROUP, result: 'joined' }));
      expect(await fixture.send('POST /api/sessions/shop-1/groups/join', { invitation })).toMatchObject({
        status: 200,
      });
      expect(worker.received).toMatchObject([{ kind: 'join-group', invitation }]);
    },
  );

  it.each(['', 'short', `https://evil.example/${CODE}`, `http://chat.whatsapp.com/${CODE}`, `${CODE}\n`, 7])(
    'may not be %j',
    async (invitation) => {
      const worker = await startOwner(async () => ({}));
      for (const call of ['join', 'invitation']) {
        expect(await fixture.send(`POST /api/sessions/shop-1/groups/${call}`, { invitation })).toMatchObject(
          errorAnswer(400, 'VALIDATION_FAILED'),
        );
      }
      expect(worker.received).toEqual([]);
    },
  );
});

describe('a picture', () => {
  it.each([
    ['no JPEG file', Buffer.from('<svg/>').toString('base64')],
    ['a file that is too large', `/9j/${'A'.repeat(4 * 65_536)}`],
    ['no base64', '/9j/*'],
    ['an address', 'http://169.254.169.254/picture.jpg'],
  ])('may not be %s', async (_, image) => {
    const worker = await startOwner(async () => ({}));
    expect(await fixture.send(`PUT /api/sessions/shop-1/groups/${GROUP}/picture`, { image })).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED'),
    );
    expect(worker.received).toEqual([]);
  });
});
