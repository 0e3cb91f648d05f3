import type { MessageContent } from '@wafleet/contract';
import { messageContentSchema } from '@wafleet/contract';
import { AddressRules, PublicHttp } from '@wafleet/egress';
import { type Answer, answering, type WebServerForTest, webServerForTest } from '@wafleet/egress/testing';
import { createMediaTools, SpoolBudget } from '@wafleet/media-tools';
import { createLogger } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { wireLinkPreviews } from '../wiring/wire-link-previews.js';
import type { LinkPreviews } from './link-preview.js';

/** A red pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const PNG = { 'content-type': 'image/png' };
const page = (head: string) => answering(head, HTML);
const WITH_PICTURE = page(
  '<title>A</title><meta property=og:description content=about><meta property=og:image content=/a.png>',
);

const spool = { budget: new SpoolBudget(10_000_000) };
const lines: string[] = [];
const logger = createLogger({
  app: 'edge',
  level: 'debug',
  destination: { write: (line: string) => void lines.push(line) },
});

function previewsForTest(allow = '127.0.0.1', timeoutMs = 60_000): LinkPreviews {
  const http = new PublicHttp({ rules: AddressRules.parse(allow) });
  return wireLinkPreviews({ http, tools: createMediaTools(), spool, logger, timeoutMs });
}

/** Serves what each path has; a path that is not there is not found. */
function site(paths: Readonly<Record<string, Answer>>): Promise<WebServerForTest> {
  return webServerForTest((socket, head) => {
    const path = head.split(' ')[1] ?? '';
    (paths[path] ?? answering('no', HTML, 404))(socket, head);
  });
}

function text(
  content: string,
  linkPreview: true | { url: string; title?: string } | undefined,
): MessageContent {
  return { type: 'text', text: content, ...(linkPreview === undefined ? {} : { linkPreview }) };
}

it('a text gets the title, the description and the picture of its first link', async () => {
  const server = await site({ '/page': WITH_PICTURE, '/a.png': answering(PICTURE, PNG) });
  const url = `${server.url}page`;
  const asked = {
    ...{ type: 'text' as const, text: `see (${url}), and ${server.url}b` },
    ...{ linkPreview: true as const, mentionAll: true },
  };
  const { content, linkPreview } = await previewsForTest().fill('t', asked);
  expect(linkPreview).toBe(true);
  expect(content).toEqual({
    ...{ type: 'text', text: asked.text, mentionAll: true },
    linkPreview: { url, title: 'A', description: 'about', thumbnail: expect.stringMatching(/^\/9j\//) },
  });
  // Workers check it again.
  expect(messageContentSchema.parse(content)).toEqual(content);
  expect(server.heads.map((head) => /user-agent: (.*)\r/.exec(head)?.[1])).toEqual([
    'WhatsApp/2',
    'WhatsApp/2',
  ]);
  await server.isLeft();
  expect(spool.budget.used).toBe(0);
});

it('a link can be named', async () => {
  const server = await site({ '/b': page('<title>B</title>') });
  const url = `${server.url}b`;
  const { content } = await previewsForTest().fill('t', text(`${server.url}a or ${url}`, { url }));
  expect(content).toMatchObject({ linkPreview: { url, title: 'B' } });
  expect(server.heads).toHaveLength(1);
});

it('what asks for no preview stays as it is', async () => {
  const previews = previewsForTest();
  const server = await site({});
  const given = { url: server.url, title: 'given' };
  const contents = [
    undefined,
    text(server.url, undefined),
    text(server.url, given),
    { type: 'forward', messageId: 'M' },
  ] as const;
  for (const content of contents) {
    expect(await previews.fill('t', content)).toEqual({ content, linkPreview: undefined });
  }
  expect(server.heads).toEqual([]);
});

it('the picture is found from where the page is, or from its base', async () => {
  const picture = answering(PICTURE, PNG);
  const server = await site({
    '/old': answering('', { location: '/new/page' }, 301),
    '/new/page': page('<title>A</title><meta property=og:image content=a.png>'),
    '/new/a.png': picture,
    '/based': page('<base href=/base/><title>A</title><meta property=og:image content=a.png>'),
    '/base/a.png': picture,
  });
  for (const path of ['old', 'based']) {
    const url = `${server.url}${path}`;
    const { content } = await previewsForTest().fill('t', text(url, true));
    expect(content).toMatchObject({ linkPreview: { url, thumbnail: expect.any(String) } });
  }
});

it('texts are made to one line, and cut', async () => {
  const server = await site({
    '/': page(`<title>\n A\t\u0007 B \n</title><meta name=description content="${'👋'.repeat(600)}">`),
  });
  const { content } = await previewsForTest().fill('t', text(server.url, true));
  const description = `${'👋'.repeat(499)}…`;
  expect(content).toMatchObject({ linkPreview: { title: 'A B', description } });
  expect(messageContentSchema.parse(content)).toEqual(content);
});

const PICTURE_PAGE = page('<title>A</title><meta property=og:image content=/a>');

it.each<[string, Answer]>([
  ['is not found', answering('', {}, 404)],
  ['is a page', page('<title>no</title>')],
  ['cannot be read', answering('<svg/>', PNG)],
  [
    'is cut',
    (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 100\r\n\r\nx`),
  ],
  ['is too large', answering('', { ...PNG, 'content-length': String(5 * 1024 * 1024 + 1) })],
  ['is elsewhere', answering('', { location: 'http://10.0.0.1/' }, 302)],
])('a picture that %s is left out', async (_what, answer) => {
  const server = await site({ '/': PICTURE_PAGE, '/a': answer });
  const { content } = await previewsForTest().fill('t', text(server.url, true));
  expect(content).toEqual({ ...text(server.url, undefined), linkPreview: { url: server.url, title: 'A' } });
  await server.isLeft();
  expect(spool.budget.used).toBe(0);
});

it.each<[string, Answer]>([
  ['is not found', answering('<title>no</title>', HTML, 404)],
  ['has no title', page('<p>hello</p>')],
  ['is a file', answering('<title>no</title>', { 'content-type': 'application/pdf' })],
  ['has no type', answering('<title>no</title>')],
  ['redirects to a private address', answering('', { location: 'http://169.254.169.254/' }, 302)],
  [
    'breaks off',
    (socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100\r\n\r\n<title>'),
  ],
])('a page that %s has no preview', async (_what, answer) => {
  const server = await webServerForTest(answer);
  const asked = text(server.url, true);
  const expected = { content: text(server.url, undefined), linkPreview: false };
  expect(await previewsForTest().fill('t', asked)).toEqual(expected);
  await server.isLeft();
});

it('a private address is not fetched, and no address is logged', async () => {
  const server = await site({ '/?token=topsecret': WITH_PICTURE });
  const url = `${server.url}?token=topsecret`;
  expect((await previewsForTest('').fill('t', text(url, true))).linkPreview).toBe(false);
  expect(server.heads).toEqual([]);
  expect(lines.join('')).toContain('address-refused');
  expect(lines.join('')).not.toContain('topsecret');
});

it('a text without a link goes without a preview', async () => {
  expect(await previewsForTest().fill('t', text('hello', true))).toMatchObject({ linkPreview: false });
});

it('a message waits for a slow page no longer than the time limit', async () => {
  const slow = await site({ '/': () => {} });
  expect((await previewsForTest('127.0.0.1', 50).fill('t', text(slow.url, true))).linkPreview).toBe(false);
  await slow.isLeft();
  const slowPicture = await site({ '/': PICTURE_PAGE, '/a': () => {} });
  const { content } = await previewsForTest('127.0.0.1', 500).fill('t', text(slowPicture.url, true));
  expect(content).toMatchObject({ linkPreview: { title: 'A' } });
  await slowPicture.isLeft();
});

it('messages of a tenant with the same link share a fetch, also one that failed', async () => {
  const server = await site({ '/a': page('<title>A</title>') });
  const previews = previewsForTest();
  for (const path of ['a', 'missing']) {
    const asked = text(`${server.url}${path}`, true);
    const together = await Promise.all([previews.fill('t', asked), previews.fill('t', asked)]);
    expect(await previews.fill('t', asked)).toEqual(together[0]);
    expect(together[1]).toEqual(together[0]);
  }
  expect(server.heads).toHaveLength(2);
  // No tenant learns what another one has sent.
  await previews.fill('other', text(`${server.url}a`, true));
  expect(server.heads).toHaveLength(3);
});

it('a tenant fetches ten pages at a time, and an edge fifty', async () => {
  const held: (() => void)[] = [];
  const server = await webServerForTest((socket, head) => {
    held.push(() => page('<title>A</title>')(socket, head));
  });
  const previews = previewsForTest('127.0.0.1', 60_000);
  const ask = (tenant: number, count: number) =>
    Array.from({ length: count }, (_, index) =>
      previews.fill(`t${tenant}`, text(`${server.url}${tenant}/${index}`, true)),
    );
  const first = ask(0, 11);
  expect((await first[10])?.linkPreview).toBe(false);
  const others = [1, 2, 3, 4].flatMap((tenant) => ask(tenant, 10));
  expect((await ask(5, 1)[0])?.linkPreview).toBe(false);
  await waitFor(() => held.length === 50, { what: 'all pages are asked for' });
  for (const answer of held.splice(0)) answer();
  const made = await Promise.all([...first.slice(0, 10), ...others]);
  expect(made.every(({ linkPreview }) => linkPreview)).toBe(true);
  const again = ask(5, 2)[1];
  await waitFor(() => held.length === 2, { what: 'there is room again' });
  for (const answer of held) answer();
  expect((await again)?.linkPreview).toBe(true);
});
