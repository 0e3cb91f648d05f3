import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readPageHead } from './page-head.js';

function head(html: string | Buffer, contentType = 'text/html') {
  return readPageHead(Readable.from([Buffer.from(html)], { objectMode: false }), contentType);
}

it.each<[string, string, object]>([
  ['a title', '<title>A &amp; B</title>', { title: 'A & B' }],
  [
    'everything',
    `<!doctype html><html><head><base href="/b/"><title>no</title>
      <meta property="og:title" content="A"><meta name="description" content="no">
      <meta property='og:description' content='about'><meta property=og:image content=a.png></head>`,
    { title: 'A', description: 'about', image: 'a.png', base: '/b/' },
  ],
  [
    'the names of Twitter',
    '<meta name="twitter:title" content="A"><meta name="twitter:image" content="a.png">',
    { title: 'A', image: 'a.png' },
  ],
  ['names in capitals', '<META PROPERTY="OG:Title" CONTENT="A">', { title: 'A' }],
  [
    'the first of each',
    '<meta property="og:image" content="1"><meta property="og:image" content="2"><title>a</title><title>b</title>',
    { title: 'a', image: '1' },
  ],
  ['an empty name', '<meta property="og:title" content=" "><title>A</title>', { title: 'A' }],
  ['no names', '<p>hello</p>', {}],
  ['nothing', '', {}],
  [
    'a head that is not closed',
    '<head><title>A</title><meta name=description content=B>',
    { title: 'A', description: 'B' },
  ],
  ['a title further down', '<body><svg><title>A</title></svg>', { title: 'A' }],
  [
    'a title in a comment',
    '<!-- <title>no</title> --><script>"<title>no</title>"</script><title>A</title>',
    { title: 'A' },
  ],
  [
    'a head that a picture ends',
    '<noscript><img src=a></noscript><meta property=og:title content=A>',
    { title: 'A' },
  ],
  ['a name that is not one of these', '<meta name="__proto__" content="A"><meta name=constructor>', {}],
])('a page with %s', async (_what, html, expected) => {
  expect(await head(html)).toEqual(expected);
});

it('what follows the head does not count', async () => {
  const page = '<head><title>A</title></head><body><meta property="og:title" content="no">';
  expect(await head(page)).toEqual({ title: 'A' });
  expect(await head(page.replaceAll(/<.?head>/g, ''))).toEqual({ title: 'A' });
});

it.each<[string, Buffer, string]>([
  ['UTF-8 without a word', Buffer.from('<title>Ä</title>'), 'text/html'],
  [
    'UTF-8 with a mark',
    Buffer.from('\ufeff<meta charset=latin1><title>Ä</title>'),
    'text/html; charset=latin1',
  ],
  [
    'a header',
    Buffer.from('<meta charset=utf-8><title>Ä</title>', 'latin1'),
    'text/html; charset="ISO-8859-1"',
  ],
  ['a meta', Buffer.from('<meta charset="windows-1252"><title>Ä</title>', 'latin1'), 'text/html'],
  [
    'an old meta',
    Buffer.from(
      '<meta http-equiv=Content-Type content="text/html; charset=iso-8859-1"><title>Ä</title>',
      'latin1',
    ),
    'text/html',
  ],
  ['UTF-16', Buffer.from('\ufeff<title>Ä</title>', 'utf16le'), 'text/html'],
  ['an unknown name', Buffer.from('<meta charset=utf-8><title>Ä</title>'), 'text/html; charset=klingon'],
])('the encoding comes from %s', async (_what, html, contentType) => {
  expect((await head(html, contentType)).title).toBe('Ä');
});

it('encodings of other scripts are known', async () => {
  const japanese = Buffer.concat([
    Buffer.from('<title>'),
    Buffer.from('93fa967b', 'hex'),
    Buffer.from('</title>'),
  ]);
  expect((await head(japanese, 'text/html; charset=Shift_JIS')).title).toBe('日本');
  const russian = Buffer.concat([Buffer.from('<title>'), Buffer.from('cff0e8e2e5f2', 'hex')]);
  expect((await head(russian, 'text/html;charset=windows-1251')).title).toBe('Привет');
});

it('a page may come byte by byte', async () => {
  const bytes = Buffer.from(`<!-- ${'x'.repeat(2_000)} --><title>Äöü 日本 👋</title></head>`);
  const page = Readable.from([...bytes].map((byte) => Buffer.from([byte])));
  expect((await readPageHead(page, 'text/html')).title).toBe('Äöü 日本 👋');
});

/** A page without end, and how much of it was read. */
function endless(start: string, rest: string) {
  const chunk = Buffer.from(rest.repeat(Math.ceil(16_384 / rest.length)));
  const read = { bytes: 0 };
  async function* send() {
    yield Buffer.from(start);
    for (;;) {
      read.bytes += chunk.length;
      yield chunk;
    }
  }
  return { page: Readable.from(send(), { objectMode: false }), read };
}

it.each(['x', '<p>', '<meta ', '<title>', '<!--', '<a b="c', '&', '<meta name=a content=b>', '</p>'])(
  'of a page without end that repeats %s, the beginning is read',
  async (rest) => {
    const { page, read } = endless('<title>A</title>', rest);
    expect((await readPageHead(page, 'text/html')).title).toBe('A');
    expect(read.bytes).toBeLessThan(1024 * 1024);
    expect(page.destroyed).toBe(true);
  },
);

it.each([
  ['its head ends', '<head><title>A</title></head>'],
  ['its body begins', '<title>A</title><body>'],
  ['its elements are nested too deeply', `<title>A</title>${'<b>'.repeat(100)}`],
])('a page is read until %s', async (_when, start) => {
  const { page, read } = endless(start, '</c>');
  expect((await readPageHead(page, 'text/html')).title).toBe('A');
  expect(read.bytes).toBeLessThan(128 * 1024);
});

it('a page that breaks off fails', async () => {
  const error = new Error('cut');
  async function* send() {
    yield Buffer.from('<title>A</title>');
    throw error;
  }
  await expect(readPageHead(Readable.from(send(), { objectMode: false }), 'text/html')).rejects.toBe(error);
});
