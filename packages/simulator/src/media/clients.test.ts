import { Agent } from 'node:https';
import { downloadMediaMessage, proto, type WAMessage } from '@whiskeysockets/baileys';
import { Agent as Dispatcher, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { MediaIntegrityError } from './encryption.js';

/** The media host's certificate is self-signed. */
const dispatcher = new Dispatcher({ connect: { rejectUnauthorized: false } });
const usual = getGlobalDispatcher();
const fetchAgent = new Agent({ rejectUnauthorized: false });

const simulator = new Simulator();
let client: Client;
const anna = simulator.addPhone({ name: 'Anna' });
const carl = simulator.addPhone({ name: 'Carl' });

beforeAll(async () => {
  setGlobalDispatcher(dispatcher);
  await simulator.start();
  client = await Client.linked(simulator, anna, { fetchAgent });
});

afterAll(async () => {
  await client.end();
  fetchAgent.destroy();
  setGlobalDispatcher(usual);
  await dispatcher.close();
  await simulator.stop();
});

test.each(['image', 'video', 'audio', 'document', 'sticker'] as const)(
  'a client opens the %s of a phone',
  async (kind) => {
    const data = Buffer.from(`the bytes of one ${kind}`.repeat(100));
    const { id } = await carl.sendMedia(anna, { kind, data });
    const message = await client.message(({ key }) => key.id === id);
    expect(await downloadMediaMessage(message as WAMessage, 'buffer', {})).toEqual(data);
  },
);

test('another client and a phone open the file of a client', async () => {
  const other = await Client.linked(simulator, carl);
  const document = Buffer.from('the bytes of one document'.repeat(1000));
  await client.sock.sendMessage(carl.jid, { document, mimetype: 'text/plain', fileName: 'a.txt' });
  const received = await carl.waitForMessage(({ message }) => message.documentMessage?.fileName === 'a.txt');
  expect(await carl.openMedia(received)).toEqual(document);
  const message = await other.message(({ key }) => key.id === received.id);
  expect(await downloadMediaMessage(message as WAMessage, 'buffer', {})).toEqual(document);
  await other.end();
  simulator.media.expire(received.message.documentMessage?.directPath ?? '');
  await expect(carl.openMedia(received)).rejects.toThrow(MediaIntegrityError);
});

test('a file that has expired is uploaded again by the own phone', async () => {
  const data = Buffer.from('the bytes of one image');
  const sent = await carl.sendMedia(anna, { kind: 'image', data });
  const message = await client.message(({ key }) => key.id === sent.id);
  simulator.media.expire(sent.message.imageMessage?.directPath ?? '');
  await expect(downloadMediaMessage(message as WAMessage, 'buffer', {})).rejects.toThrow('Failed to fetch');
  const reuploaded = await client.sock.updateMediaMessage(
    proto.WebMessageInfo.fromObject(message) as WAMessage,
  );
  expect(await downloadMediaMessage(reuploaded, 'buffer', {})).toEqual(data);
  expect(client.events.map(({ event }) => event)).toContain('messages.media-update');
});

test('a file of a message that the own phone does not know is not found', async () => {
  const sent = await carl.sendMedia(anna, { kind: 'image', data: Buffer.from('a picture') });
  const message = await client.message(({ key }) => key.id === sent.id);
  const key = { ...message.key, id: 'UNKNOWN' };
  const asked = client.sock.updateMediaMessage(
    proto.WebMessageInfo.fromObject({ ...message, key }) as WAMessage,
  );
  await expect(asked).rejects.toThrow('Failed to re-upload media (2)');
});
