import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Phone } from './support/linked-sessions.js';

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let alice: Phone;
let bob: Phone;
let carl: Phone;

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  [alice, bob, carl] = ['Alice', 'Bob', 'Carl'].map((name) => cluster.simulator.addPhone({ name })) as [
    Phone,
    Phone,
    Phone,
  ];
  for (const [id, phone] of [
    ['alice', alice],
    ['bob', bob],
  ] as const) {
    await tenant.client.call('create-session', { body: { id } });
    await cluster.linkByQr(tenant.client, id, phone);
  }
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, [
    'groups.*',
    'group-participants.*',
  ]);
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

test('a group is created, changed, shared and left over REST, and everybody sees it', async () => {
  const { client } = tenant;
  const { group: made, participants } = await client.call('create-group', {
    params: { id: 'alice' },
    body: { subject: 'Team', participants: [bob.number, '19998887777'] },
  });
  expect(participants.map(({ result }) => result)).toEqual(['done', 'not-on-whatsapp']);
  const params = { id: 'alice', group: made.id };
  const group = cluster.simulator.groups.require(made.id);
  expect(group.members()).toEqual([alice, bob]);
  await events.waitForEvent('groups.upsert', ({ sessionId }) => sessionId === 'bob');

  await client.call('change-group', { params, body: { subject: 'Crew', joinApprovalMode: true } });
  expect(group.subject).toBe('Crew');
  await events.waitForEvent('groups.update', ({ groups, sessionId }) =>
    groups.some(({ subject }) => subject === 'Crew' && sessionId === 'bob'),
  );
  expect(await client.call('list-groups', { params: { id: 'bob' }, query: { limit: 5 } })).toMatchObject({
    items: [{ id: made.id, subject: 'Crew', size: 2 }],
  });

  const { url } = await client.call('get-group-invitation', { params });
  carl.joinGroup(url.split('/').at(-1) ?? '');
  expect(await client.call('list-group-join-requests', { params })).toMatchObject({
    items: [{ phoneNumber: carl.jid }],
  });
  await client.call('answer-group-join-requests', {
    params,
    body: { action: 'approve', participants: [carl.number] },
  });
  await client.call('change-group-participants', {
    params,
    body: { action: 'promote', participants: [carl.jid] },
  });
  expect(group.role(carl)).toBe('admin');
  await events.waitForEvent('group-participants.update', ({ action }) => action === 'promote');
  const listed = await client.call('list-group-participants', { params, query: { limit: 2 } });
  expect(listed.items).toHaveLength(2);
  expect(listed.nextCursor).toBe(listed.items[1]?.id);

  await client.call('leave-group', { params: { ...params, id: 'bob' } });
  expect(group.members()).toEqual([alice, carl]);
  await expect(client.call('get-group', { params: { ...params, id: 'bob' } })).rejects.toMatchObject({
    code: 'NOT_GROUP_MEMBER',
    status: 403,
  });
  expect(await client.call('join-group', { params: { id: 'bob' }, body: { invitation: url } })).toEqual({
    group: made.id,
    result: 'requested',
  });
});
