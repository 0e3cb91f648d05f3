import type { MediaFile } from '@wafleet/contract';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentTypeOf, fileNameOf, mediaHeaders } from './media-headers.js';

const file: MediaFile = {
  kind: 'document',
  mimetype: 'application/pdf',
  directPath: '/v/a',
  mediaKey: '',
  sha256: 'v8Oyt+UaQZzTJ8fXVOmrFQRYLRthN3k1fUNn2v3M2YA=',
};
const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const named = (fileName: string) => fileNameOf({ ...file, fileName }, 'A1');

describe('the type', () => {
  it.each([
    ['image/jpeg', 'image/jpeg'],
    ['IMAGE/PNG', 'image/png'],
    ['audio/ogg; codecs=opus', 'audio/ogg; codecs=opus'],
    ['audio/ogg;codecs="opus, vorbis"', 'audio/ogg; codecs="opus, vorbis"'],
    ['text/plain; charset=utf-7', 'text/plain'],
    ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', WORD],
    ['application/vnd.ms-excel', 'application/vnd.ms-excel'],
    ['text/html', 'application/octet-stream'],
    ['TEXT/HTML;charset=utf-8', 'application/octet-stream'],
    ['image/svg+xml', 'application/octet-stream'],
    ['application/xhtml+xml', 'application/octet-stream'],
    ['text/javascript', 'application/octet-stream'],
    ['multipart/x-mixed-replace; boundary=a', 'application/octet-stream'],
    ['message/rfc822', 'application/octet-stream'],
    ['text/x-vcard', 'text/x-vcard'],
    ['text/xml', 'application/octet-stream'],
    ['', 'application/octet-stream'],
    ['image', 'application/octet-stream'],
    ['image/png\r\nSet-Cookie: a=b', 'application/octet-stream'],
    ['image/png, text/html', 'application/octet-stream'],
    ['image/png; codecs="a\r\nb"', 'image/png'],
  ])('of %j is sent as %s', (mimetype, reported) => {
    expect(contentTypeOf(mimetype)).toBe(reported);
  });
});

describe('the name', () => {
  it.each([
    ['Rechnung März.pdf', 'Rechnung März.pdf'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['C:\\Windows\\a.exe', 'C__Windows_a.exe'],
    ['.bashrc', 'bashrc'],
    ['a.pdf. . ', 'a.pdf'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a\u0000b\u0007.pdf', 'ab.pdf'],
    ['a"; filename="b.html', 'a_; filename=_b.html'],
    ['a\r\nSet-Cookie: b=c', 'aSet-Cookie_ b=c'],
    ['half \ud800 of a character', 'half of a character'],
    ['\u2066\u200f', 'document-A1.pdf'],
    ['...', 'document-A1.pdf'],
  ])('%j is sent as %j', (given, reported) => {
    expect(named(given)).toBe(reported);
  });

  it('is made of the message’s id where there is none', () => {
    expect(fileNameOf({ ...file, kind: 'image', mimetype: 'image/jpeg' }, 'A1')).toBe('image-A1.jpg');
    expect(fileNameOf({ ...file, kind: 'audio', mimetype: 'audio/ogg; codecs=opus' }, 'A1')).toBe(
      'audio-A1.ogg',
    );
    expect(fileNameOf({ ...file, kind: 'sticker', mimetype: 'odd' }, '../A"1')).toBe('sticker-.._A_1');
    expect(fileNameOf({ ...file, mimetype: WORD }, 'A1')).toBe('document-A1.docx');
    expect(fileNameOf({ ...file, mimetype: 'text/html' }, 'A1')).toBe('document-A1');
  });

  it('is cut before its ending, between characters', () => {
    const name = named(`${'ä🎉'.repeat(100)}.pdf`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^(ä🎉)+ä?\.pdf$/u);
    expect(Buffer.byteLength(named(`a.${'b'.repeat(500)}`))).toBe(200);
  });
});

describe('the headers', () => {
  it('save what browsers may not show', () => {
    expect(mediaHeaders({ ...file, fileName: "Bob's März (1).pdf" }, 'A1')).toEqual({
      'content-type': 'application/pdf',
      'content-disposition':
        'attachment; filename="Bob_s M_rz (1).pdf"; filename*=UTF-8\'\'Bob%27s%20M%C3%A4rz%20%281%29.pdf',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'none',
      'cache-control': 'private, no-cache',
      etag: '"v8Oyt+UaQZzTJ8fXVOmrFQRYLRthN3k1fUNn2v3M2YA="',
    });
  });

  it.each([
    ['image/png', 'inline'],
    ['video/mp4', 'inline'],
    ['audio/ogg; codecs=opus', 'inline'],
    ['image/svg+xml', 'attachment'],
    ['image/x-icon', 'attachment'],
    ['application/pdf', 'attachment'],
    ['text/html', 'attachment'],
    ['text/plain', 'attachment'],
  ])('of %s are %s', (mimetype, disposition) => {
    const headers = mediaHeaders({ ...file, mimetype }, 'A1');
    expect(headers['content-disposition']).toMatch(new RegExp(`^${disposition}; `));
  });

  it('hold whatever a sender says', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(text, text, text, (mimetype, fileName, messageId) => {
        const headers = mediaHeaders({ ...file, mimetype, fileName }, messageId);
        for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]+$/);
        const disposition =
          /^(?:inline|attachment); filename="([^"\\]*)"; filename\*=UTF-8''([\w.~%!$&+^`|-]*)$/;
        const [, , encoded = ''] = disposition.exec(headers['content-disposition'] ?? '') ?? [];
        expect(encoded).not.toBe('');
        expect(decodeURIComponent(encoded)).not.toMatch(/[/\\:"\p{Cc}\p{Cf}]|^\./u);
        expect(headers['content-type']).not.toMatch(/html|svg|[/+]xml|script/);
      }),
      { numRuns: 300 },
    );
  });
});
