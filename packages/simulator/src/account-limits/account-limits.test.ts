import {
  NewChatMessageCappingStatusType,
  ReachoutTimelockEnforcementType,
  S_WHATSAPP_NET,
} from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { sharePrivacyToken } from '../notifications/notices.js';
import { useLinkedClient } from '../testing/linked-client.js';
import { until } from '../testing/until.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();

/** The data of the last event of a kind that has what is wanted. */
function announced(event: string, field: string): unknown {
  const found = client.events.filter(
    (each) => each.event === event && JSON.stringify(each.data).includes(field),
  );
  return found.at(-1)?.data;
}

test('a locked account writes only to people who gave it a token', async () => {
  sharePrivacyToken(dora, alice);
  await expect
    .poll(async () => (await client.auth.keys.get('tctoken', [dora.lid]))[dora.lid]?.token?.length)
    .toBe(16);
  simulator.limits.of(alice).lock(1_900_000_000, 'BIZ_QUALITY');
  await until('the lock', () => announced('connection.update', '"BIZ_QUALITY"') !== undefined);
  expect(await client.sock.fetchAccountReachoutTimelock()).toEqual({
    isActive: true,
    timeEnforcementEnds: new Date(1_900_000_000_000),
    enforcementType: ReachoutTimelockEnforcementType.BIZ_QUALITY,
  });

  const refused = await client.sock.sendMessage(carl.jid, { text: 'stranger' });
  await until('the refusal', () => client.statusOf(refused?.key.id) === 0);
  await client.sock.sendMessage(dora.jid, { text: 'friend' });
  await dora.waitForMessage(({ text }) => text === 'friend');

  simulator.limits.of(alice).unlock();
  await until('the end', () => announced('connection.update', '"isActive":false') !== undefined);
  expect(await client.sock.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
  await client.sock.sendMessage(carl.jid, { text: 'again' });
  await carl.waitForMessage(({ text }) => text === 'again');
  expect(carl.received.map(({ text }) => text)).toEqual(['again']);
});

test('the quota of new chats is announced and answered, or refused', async () => {
  const limits = simulator.limits.of(alice);
  expect(await client.sock.fetchNewChatMessageCap()).toBeNull();
  limits.setNewChats({ total: 50, used: 49, cycleStart: 1, cycleEnd: 2, status: 'SECOND_WARNING' });
  await until('the quota', () => announced('message-capping.update', 'SECOND_WARNING') !== undefined);
  expect(await client.sock.fetchNewChatMessageCap()).toMatchObject({
    total_quota: 50,
    used_quota: 49,
    cycle_end_timestamp: '2',
    capping_status: NewChatMessageCappingStatusType.SECOND_WARNING,
  });
  limits.refuseQuota(404);
  await expect(client.sock.fetchNewChatMessageCap()).rejects.toThrow('GraphQL server error: refused');
});

test('a query that no feature answers is refused', async () => {
  const query = { tag: 'query', attrs: { query_id: '1' }, content: Buffer.from('{"variables":{}}') };
  const attrs = { id: client.sock.generateMessageTag(), type: 'get', to: S_WHATSAPP_NET, xmlns: 'w:mex' };
  const asked = client.sock.query({ tag: 'iq', attrs, content: [query] });
  await expect(asked).rejects.toThrow('bad-request');
});
