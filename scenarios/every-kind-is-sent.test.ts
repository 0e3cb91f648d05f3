import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageContentSchema } from '@wafleet/contract';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Phone } from './support/linked-sessions.js';

/** The field of WhatsApp's message that each type of content becomes. */
const FIELDS = {
  text: 'extendedTextMessage',
  location: 'locationMessage',
  contacts: 'contactsArrayMessage',
  poll: 'pollCreationMessageV3',
  event: 'eventMessage',
  reaction: 'reactionMessage',
  forward: 'extendedTextMessage',
  'group-invitation': 'groupInviteMessage',
} as const;

/** The contents that the guide shows. */
const EXAMPLES = [
  ...readFileSync(new URL('../docs/sending.md', import.meta.url), 'utf8').matchAll(
    /`(\{ "type": "[a-z-]+".*? \})`/g,
  ),
].map(([, example = '']) => example);

/** A red pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

const params = { id: 'shop' };

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let anna: Phone;
let carl: Phone;

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['messages.*']);
  anna = cluster.simulator.addPhone({ name: 'Anna' });
  carl = cluster.simulator.addPhone({ name: 'Carl' });
  await tenant.client.call('create-session', { body: params });
  await cluster.linkByQr(tenant.client, 'shop', anna);
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

/** A message of Carl's that Anna's session has published. */
async function received(text: string): Promise<string> {
  const { id } = await carl.send(anna, text);
  const isThere = ({ messages }: { messages: readonly { key: { id: string } }[] }) =>
    messages.some(({ key }) => key.id === id);
  await events.waitForEvent('messages.upsert', isThere, { what: `of ${id}`, timeoutMs: 60_000 });
  return id;
}

test('the guide has an example of each type of content', () => {
  const types = EXAMPLES.map((example) => messageContentSchema.parse(JSON.parse(example)).type);
  expect(new Set(types)).toEqual(new Set(Object.keys(FIELDS)));
});

test.each(EXAMPLES)('the phone gets %s', async (example) => {
  const target = example.includes('3EB0…') ? await received('an earlier message') : '';
  const content = messageContentSchema.parse(JSON.parse(example.replace('3EB0…', target)));
  // Only a group has members to mention.
  const group = anna.createGroup('Team', [carl]);
  const isForAll = content.type === 'text' && content.mentionAll === true;
  const to = isForAll ? group.jid : carl.number;
  const { messageId } = await tenant.client.call('send-message', { params, body: { to, content } });
  const { message } = await carl.waitForMessage(({ id }) => id === messageId);
  expect(message[FIELDS[content.type]]).toBeTruthy();
});

test('the phone gets the preview of a page that the edge fetched', async () => {
  const edge = await cluster.addEdge({ FETCH_ALLOW: '127.0.0.1' });
  const server = createServer((request, response) => {
    const isPicture = request.url === '/a.png';
    response.setHeader('content-type', isPicture ? 'image/png' : 'text/html');
    response.end(isPicture ? PICTURE : '<title>A &amp; B</title><meta property=og:image content=a.png>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const text = `see http://127.0.0.1:${port}/page.`;
  const body = { to: carl.number, content: { type: 'text' as const, text, linkPreview: true as const } };
  const sent = await cluster.client(tenant.apiKey, edge).call('send-message', { params, body });
  expect(sent.linkPreview).toBe(true);
  const { message } = await carl.waitForMessage(({ id }) => id === sent.messageId);
  const { jpegThumbnail, ...shown } = message.extendedTextMessage ?? {};
  expect(shown).toMatchObject({ text, matchedText: `http://127.0.0.1:${port}/page`, title: 'A & B' });
  expect(Buffer.from(jpegThumbnail ?? []).toString('hex')).toMatch(/^ffd8ff/);
});

test('a message is quoted, edited, pinned, starred, read and deleted by its id alone', async () => {
  const { client } = tenant;
  const to = carl.number;
  const arrives = async ({ messageId }: { messageId: string }) =>
    (await carl.waitForMessage(({ id }) => id === messageId)).message;
  const question = await received('when?');
  const body = {
    to,
    text: 'nooon',
    quote: { messageId: question },
    disappearing: 86_400 as const,
    typing: 10,
  };
  const answer = await client.call('send-message', { params, body });
  expect((await arrives(answer)).extendedTextMessage?.contextInfo).toMatchObject({
    ...{ stanzaId: question, expiration: 86_400, quotedMessage: { conversation: 'when?' } },
  });
  const target = { ...params, target: answer.messageId };
  const edited = await arrives(await client.call('edit-message', { params: target, body: { text: 'noon' } }));
  expect(edited.protocolMessage?.editedMessage?.extendedTextMessage?.text).toBe('noon');
  const pinned = await arrives(await client.call('pin-message', { params: target, body: { days: 7 } }));
  expect(pinned.pinInChatMessage?.key?.id).toBe(answer.messageId);
  await client.call('star-message', { params: target });
  const star = anna.settings.state.entries.find(({ index }) => index[2] === answer.messageId);
  expect(star?.value.starAction?.starred).toBe(true);
  const messages = [{ messageId: question }];
  await client.call('mark-as-read', { params: { ...params, chat: to }, body: { messages } });
  const isRead = () => carl.inbox.receipts.some(({ type, ids }) => type === 'read' && ids.includes(question));
  await waitFor(isRead, { what: 'the read receipt' });
  const deleted = await arrives(await client.call('delete-message', { params: target }));
  expect(deleted.protocolMessage?.key?.id).toBe(answer.messageId);
  await expect(
    client.call('edit-message', { params: { ...params, target: 'UNKNOWN' }, body: { text: 'x' } }),
  ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
});

test('a vote opens with the poll’s secret', async () => {
  const { client } = tenant;
  const content = { type: 'poll' as const, question: 'Drink?', options: ['tea', 'coffee'] };
  const { messageId } = await client.call('send-message', { params, body: { to: carl.number, content } });
  const vote = { params: { ...params, target: messageId }, body: { options: ['coffee'] } };
  const { messageId: voteId } = await client.call('vote-in-poll', vote);
  const { message } = await carl.waitForMessage(({ id }) => id === voteId);
  expect(message.pollUpdateMessage?.pollCreationMessageKey?.id).toBe(messageId);
  const hasVote = ({ updates }: { updates: readonly { key: { id: string } }[] }) =>
    updates.some(({ key }) => key.id === messageId);
  await events.waitForEvent('messages.update', hasVote, { what: 'of the vote', timeoutMs: 60_000 });
});
