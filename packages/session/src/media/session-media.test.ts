import type { MediaFile } from '@wafleet/contract';
import { ReplyBox } from '@wafleet/store';

import type { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let test: TestSession;
let anna: ReturnType<Harness['simulator']['addPhone']>;
let carl: typeof anna;

beforeAll(async () => {
  harness = await Harness.start();
  anna = harness.simulator.addPhone({ name: 'Anna' });
  carl = harness.simulator.addPhone({ name: 'Carl' });
  test = await harness.newSession();
  await test.link(anna);
});

afterAll(async () => {
  await harness?.stop();
});

async function receive(): Promise<{ id: string; file: MediaFile }> {
  const { id } = await carl.sendMedia(anna, { kind: 'image', data: Buffer.from('a picture') });
  await test.event('messages.upsert', id);
  // No wait: a client may ask as soon as it has read the event.
  return { id, ...(await test.session.execute('find-media', { messageId: id })) };
}

/** As an edge asks: again and again, until the phone has answered. */
async function refresh(id: string, triedPath: string): Promise<MediaFile> {
  for (;;) {
    const { file } = await test.session.execute('refresh-media', { messageId: id, triedPath });
    if (file !== undefined) return file;
  }
}

it('a file is known as soon as its message is', async () => {
  const { id, file } = await receive();
  expect(file).toMatchObject({ kind: 'image', mimetype: 'image/jpeg', length: 9 });
  expect(harness.simulator.media.get(file.directPath)).toBeDefined();
  await expect(test.session.execute('find-media', { messageId: `${id}0` })).rejects.toMatchObject({
    code: 'MEDIA_NOT_FOUND',
  });
});

it('a session with a proxy hands it out with the file, sealed for the edge that asks', async () => {
  const { id, file } = await receive();
  const box = new ReplyBox();
  await test.setProxy('socks5://customer:topsecret@127.0.0.1:1');
  const find = (replyKey?: string) => test.session.execute('find-media', { messageId: id, replyKey });
  const answer = await find(box.publicKey);
  expect(answer.file).toEqual(file);
  expect(answer.proxy).not.toMatch(/topsecret/);
  const { tenantId, sessionId } = test.fence;
  expect(box.open(answer.proxy ?? '', `proxy ${tenantId}/${sessionId}`)).toBe(
    'socks5://customer:topsecret@127.0.0.1:1',
  );
  // An edge of an earlier release has no key, and would fetch the file directly.
  for (const key of [undefined, 'nonsense']) {
    await expect(find(key)).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
  }
  await test.setProxy(undefined);
  await test.status('open');
  expect(await find()).toEqual({ file, isDirect: true });
});

it('a session that has not read its settings yet, or not heard of a change, hands its proxy out all the same', async () => {
  const owner = await harness.newSession();
  const phone = harness.simulator.addPhone({ name: 'Dora' });
  await owner.link(phone);
  const { id } = await carl.sendMedia(phone, { kind: 'image', data: Buffer.from('a picture') });
  await owner.event('messages.upsert', id);
  const box = new ReplyBox();
  const proxyIn = async ({ session, fence: { tenantId, sessionId } }: TestSession) => {
    const { proxy } = await session.execute('find-media', { messageId: id, replyKey: box.publicKey });
    return proxy && box.open(proxy, `proxy ${tenantId}/${sessionId}`);
  };
  await harness.storeSettings(owner.fence, {}, 'socks5://127.0.0.1:1');
  expect(await proxyIn(owner)).toBe('socks5://127.0.0.1:1');
  await owner.session.stop({ reason: 'moved' });
  await harness.ownership.release(owner.fence);
  const next = await harness.takeOver(owner.fence);
  expect(await proxyIn(next)).toBe('socks5://127.0.0.1:1');
  await harness.damageSettings(next.fence);
  await expect(proxyIn(next)).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
});

it.each<[string, (image: proto.IMessage) => proto.IMessage]>([
  ['a template', (header) => ({ templateMessage: { interactiveMessageTemplate: { header } } })],
  ['an interactive message', (header) => ({ interactiveMessage: { header } })],
  ['a wrapper that Baileys does not open', (message) => ({ botInvokeMessage: { message } })],
])('a file in %s is known, and uploaded again when it is gone', async (_, build) => {
  const { message } = await carl.sendMedia(anna, { kind: 'image', data: Buffer.from('a picture') });
  const { id } = await carl.send(anna, build({ imageMessage: message.imageMessage ?? {} }));
  await test.event('messages.upsert', id);
  const { file } = await test.session.execute('find-media', { messageId: id });
  expect(file).toMatchObject({ kind: 'image', mimetype: 'image/jpeg', length: 9 });
  harness.simulator.media.expire(file.directPath);
  expect((await refresh(id, file.directPath)).directPath).not.toBe(file.directPath);
});

it('a text has no file', async () => {
  const { id } = await carl.send(anna, { text: 'hi' });
  await test.event('messages.upsert', id);
  await expect(test.session.execute('find-media', { messageId: id })).rejects.toMatchObject({
    code: 'MEDIA_NOT_FOUND',
  });
});

it('one request to the phone serves everyone who asks, and gives clients no event', async () => {
  const { id, file } = await receive();
  harness.simulator.media.expire(file.directPath);
  const before = await test.events();
  const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(id, file.directPath)));
  const [moved] = answers;
  expect(new Set(answers.map(({ directPath }) => directPath)).size).toBe(1);
  expect(moved?.directPath).not.toBe(file.directPath);
  expect(harness.simulator.media.get(moved?.directPath ?? '')).toBeDefined();
  expect((await test.session.execute('find-media', { messageId: id })).file).toEqual(moved);
  expect(await test.events()).toEqual(before);
});

it('a file that expires once more is asked for once more', async () => {
  const { id, file } = await receive();
  const paths = [file.directPath];
  for (let round = 0; round < 3; round += 1) {
    const last = paths.at(-1) ?? '';
    harness.simulator.media.expire(last);
    paths.push((await refresh(id, last)).directPath);
  }
  expect(new Set(paths).size).toBe(4);
});

it('a file that the phone has lost is gone', async () => {
  const { id, file } = await receive();
  harness.simulator.media.lose(file.directPath);
  await expect(refresh(id, file.directPath)).rejects.toMatchObject({ code: 'MEDIA_GONE' });
});

it('a command does not wait long for a phone that does not answer', async () => {
  const { id, file } = await receive();
  harness.simulator.goSilent();
  expect(await test.session.execute('refresh-media', { messageId: id, triedPath: file.directPath })).toEqual(
    {},
  );
  harness.simulator.resume();
});

it('a session that is not open asks no phone, and still knows its files', async () => {
  const { id, file } = await receive();
  await test.session.stop({ reason: 'test' });
  const asked = test.session.execute('refresh-media', { messageId: id, triedPath: file.directPath });
  await expect(asked).rejects.toMatchObject({ code: 'SESSION_NOT_OPEN' });
  expect((await test.session.execute('find-media', { messageId: id })).file).toEqual(file);
});
