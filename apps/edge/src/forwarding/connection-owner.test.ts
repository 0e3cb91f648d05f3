import { expect, it } from 'vitest';
import { sessionOwner } from './connection-owner.js';

const sid = 'edge_0123456789ab.nHgA-x_Yd-dZEAAAC01X';

it.each([
  [`/socket.io/?EIO=4&transport=polling&sid=${sid}`, 'edge_0123456789ab'],
  [`/socket.io/?sid=${encodeURIComponent(sid)}`, 'edge_0123456789ab'],
  [`/socket.io/?sid=edge_other.x&sid=${sid}`, 'edge_0123456789ab'],
])('%s belongs to %s', (url, edge) => {
  expect(sessionOwner({ url })).toBe(edge);
});

it.each([
  '/socket.io/?EIO=4&transport=polling',
  '/socket.io/',
  `/api/sessions?sid=${sid}`,
  `//evil.example/socket.io/?sid=${sid}`,
  `http://evil.example/socket.io/?sid=${sid}`,
  '/socket.io/?sid=nHgA-x_Yd-dZEAAAC01X',
  '/socket.io/?sid=10.0.0.1:6379.abc',
  '/socket.io/?sid=..%2f..%2f.abc',
  '/socket.io/?sid=edge_a.abc%0d%0aX-Header:1',
  `/socket.io/?sid=${'e'.repeat(65)}.abc`,
  '/socket.io/?sid=edge_a.',
])('%s belongs to none', (url) => {
  expect(sessionOwner({ url })).toBeUndefined();
});
