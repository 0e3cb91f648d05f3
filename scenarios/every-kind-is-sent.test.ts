import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type FileContent, messageContentSchema, statusContentSchema, uploadSchema } from '@wafleet/contract';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  ffmpegPath,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { normalizeMessageContent } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
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
  image: 'imageMessage',
  video: 'videoMessage',
  'video-note': 'ptvMessage',
  gif: 'videoMessage',
  audio: 'audioMessage',
  voice: 'audioMessage',
  document: 'documentMessage',
  sticker: 'stickerMessage',
  album: 'albumMessage',
} as const;

/** Files in the formats that the guide's examples name. The second one says how FFmpeg makes it. */
const FILES = [
  ['a.jpg', ['-f', 'lavfi', '-i', 'testsrc=duration=1:rate=1:size=320x240', '-frames:v', '1']],
  ['a.mp4', ['-f', 'lavfi', '-i', 'testsrc=duration=1:rate=5:size=160x120', '-pix_fmt', 'yuv420p']],
  ['a.gif', ['-f', 'lavfi', '-i', 'testsrc=duration=1:rate=5:size=64x64']],
  ['a.mp3', ['-f', 'lavfi', '-i', 'sine=duration=1']],
] as const;

/** The contents that the guide shows. */
const EXAMPLES = [
  ...readFileSync(new URL('../docs/sending.md', import.meta.url), 'utf8').matchAll(
    /`(\{ "type": "[a-z-]+".*? \})`/g,
  ),
].map(([, example = '']) => example);

/** The statuses with files that it shows. */
const STATUS_EXAMPLES = [
  ...readFileSync(new URL('../docs/sending.md', import.meta.url), 'utf8').matchAll(
    /`(\{ "content": \{ "type": "[a-z-]+", "file".*? \})` \|/g,
  ),
].map(([, example = '']) => example);

/** A red pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

const params = { id: 'shop' };
const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** Serves the files that the guide's examples name. */
const folder = mkdtempSync(join(tmpdir(), 'wafleet-files-'));
const web = createServer((request, response) => {
  const path = join(folder, basename(request.url ?? ''));
  if (existsSync(path)) response.end(readFileSync(path));
  else response.writeHead(404).end();
});
let webUrl = '';

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let anna: Phone;
let carl: Phone;

beforeAll(async () => {
  for (const [name, args] of FILES) {
    await promisify(execFile)(ffmpegPath, ['-v', 'error', '-nostdin', ...args, join(folder, name)]);
  }
  writeFileSync(join(folder, 'a.pdf'), '%PDF-1.4 a bill');
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  cluster = await startCluster({ environment: { FETCH_ALLOW: '127.0.0.1', LOG_LEVEL: 'debug' } });
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
  web.close();
  rmSync(folder, { recursive: true });
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
  expect(STATUS_EXAMPLES).toHaveLength(3);
});

test.each(EXAMPLES)('the phone gets %s', async (example) => {
  const target = example.includes('3EB0…') ? await received('an earlier message') : '';
  const local = example.replace('3EB0…', target).replaceAll('https://files.example.com', webUrl);
  const content = messageContentSchema.parse(JSON.parse(local));
  // Only a group has members to mention.
  const group = anna.createGroup('Team', [carl]);
  const isForAll = content.type === 'text' && content.mentionAll === true;
  const to = isForAll ? group.jid : carl.number;
  const { messageId } = await tenant.client.call('send-message', { params, body: { to, content } });
  const { message } = await carl.waitForMessage(({ id }) => id === messageId);
  const shown = normalizeMessageContent(message);
  expect(shown?.[FIELDS[content.type]]).toBeTruthy();
});

test.each(STATUS_EXAMPLES)('a status is shown: %s', async (example) => {
  const { content: shown } = JSON.parse(example.replaceAll('https://files.example.com', webUrl));
  const content = statusContentSchema.parse(shown);
  const body = { content, recipients: [carl.number] };
  const { messageId } = await tenant.client.call('post-status', { params, body });
  const received = await carl.waitForMessage(({ id }) => id === messageId);
  expect(received.message[FIELDS[content.type]]).toBeTruthy();
  expect((await carl.openMedia(received)).length).toBeGreaterThan(0);
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

test('a picture arrives byte for byte, whichever way it came', async () => {
  const picture = readFileSync(join(folder, 'a.jpg'));
  const { client } = tenant;
  const body = { type: 'image' as const, file: { base64: picture.toString('base64') } };
  const { uploadId } = await client.call('upload-file', { params, body });
  for (const file of [{ url: `${webUrl}/a.jpg` }, body.file, { uploadId }]) {
    const content = { type: 'image' as const, file };
    const { messageId } = await client.call('send-message', { params, body: { to: carl.number, content } });
    const received = await carl.waitForMessage(({ id }) => id === messageId);
    expect(await carl.openMedia(received)).toEqual(picture);
    expect(received.message.imageMessage).toMatchObject({ width: 320, height: 240, mimetype: 'image/jpeg' });
    const sent = ({ messages }: { messages: readonly { key: { id: string } }[] }) =>
      messages.some(({ key }) => key.id === messageId);
    await events.waitForEvent('messages.upsert', sent, { what: `of ${messageId}`, timeoutMs: 60_000 });
    const url = `${cluster.edges[0]?.url}/api/sessions/shop/messages/${messageId}/media`;
    const answer = await fetch(url, { headers: { 'x-api-key': tenant.apiKey } });
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(picture);
  }
});

test('a voice note becomes Ogg Opus with a waveform, a sticker WebP, a GIF a video', async () => {
  const { client } = tenant;
  const send = async (content: FileContent) => {
    const { messageId } = await client.call('send-message', { params, body: { to: carl.number, content } });
    const received = await carl.waitForMessage(({ id }) => id === messageId);
    return { message: received.message, file: await carl.openMedia(received) };
  };
  const voice = await send({ type: 'voice', file: { url: `${webUrl}/a.mp3` } });
  expect(voice.message.audioMessage).toMatchObject({ ptt: true, mimetype: 'audio/ogg; codecs=opus' });
  expect(voice.message.audioMessage?.waveform).toHaveLength(64);
  expect(voice.file.subarray(0, 4).toString()).toBe('OggS');
  const sticker = await send({ type: 'sticker', file: { url: `${webUrl}/a.gif` } });
  expect(sticker.message.stickerMessage).toMatchObject({ mimetype: 'image/webp', isAnimated: true });
  expect(sticker.file.subarray(8, 12).toString()).toBe('WEBP');
  const gif = await send({ type: 'gif', file: { url: `${webUrl}/a.gif` } });
  expect(gif.message.videoMessage).toMatchObject({ mimetype: 'video/mp4', gifPlayback: true });
  expect(gif.file.subarray(4, 8).toString()).toBe('ftyp');
});

// A bare machine may lack curl; the test then counts as skipped.
test.skipIf(!hasCurl)(
  'the commands of the guide send a file in the request, and one file many times',
  async () => {
    const picture = readFileSync(join(folder, 'a.jpg'));
    writeFileSync(join(folder, 'picture.jpg'), picture);
    const others = ['15550001001', '15550001002'].map((number) =>
      cluster.simulator.addPhone({ name: number, number }),
    );
    const [functions = '', ...blocks] = codeBlocks('docs/sending.md', 'sh');
    const run = async (block: string, environment: Readonly<Record<string, string>> = {}) => {
      const code = `${functions.slice(0, functions.indexOf('api POST'))}\n${block}`
        .replaceAll('http://localhost:3000', cluster.edges[0]?.url ?? '')
        .replaceAll('https://files.example.com', webUrl);
      // Does not block this process, because the media host runs in it.
      const { stdout } = await promisify(execFile)('sh', ['-euc', code], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', SESSION: 'shop', API_KEY: tenant.apiKey, ...environment },
      });
      return stdout;
    };
    const withFile = blocks.filter((block) => /"file"|file=@/.test(block));
    expect(withFile).toHaveLength(4);
    for (const block of withFile.slice(0, 3)) expect(await run(block)).toMatch(/^\{"messageId":"3EB0\w+"\}/);
    const [upload = '', send = ''] = (withFile[3] ?? '').split('\n\n');
    const { uploadId } = uploadSchema.parse(JSON.parse(await run(upload)));
    expect(await run(send, { UPLOAD_ID: uploadId })).toMatch(/messageId.*messageId/s);
    for (const phone of others) {
      const received = await phone.waitForMessage(({ message }) => {
        const { caption } = message.imageMessage ?? {};
        return message.imageMessage != null && !caption;
      });
      expect(await phone.openMedia(received)).toEqual(picture);
    }
  },
);

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

test('no log line has the token for uploads, the key of a file or where it is', () => {
  const files = carl.received.flatMap(({ message }) => normalizeMessageContent(message)?.imageMessage ?? []);
  const secrets = files.flatMap(({ mediaKey, directPath }) => [
    Buffer.from(mediaKey ?? []).toString('base64'),
    directPath ?? '',
  ]);
  expect(secrets.length).toBeGreaterThan(5);
  const processes = [...cluster.workers, ...cluster.edges.map(({ process }) => process)];
  const text = JSON.stringify(processes.flatMap(({ logs }) => logs));
  const all = [...secrets, cluster.simulator.uploads.auth];
  expect(all.filter((secret) => secret === '' || text.includes(secret))).toEqual([]);
});
