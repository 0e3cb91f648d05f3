import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLogger } from '@wafleet/runtime';
import { expect, onTestFinished, test } from 'vitest';
import { containErrors } from './contain-errors.js';

test.each([
  ['a request', ''],
  ['an upgrade', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
])('%s whose listener throws ends its own connection alone', async (_what, headers) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const http = createServer((request, response) => {
    if (request.url === '/odd') throw new Error('a fault');
    response.end('served');
  });
  http.on('upgrade', () => {
    throw new Error('a fault');
  });
  containErrors(http, createLogger({ app: 'test', level: 'error', destination }));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => new Promise((resolve) => http.close(() => resolve())));
  const { port } = http.address() as AddressInfo;

  const odd = connect(port, '127.0.0.1');
  odd.write(`GET /odd HTTP/1.1\r\nHost: edge\r\n${headers}\r\n`);
  expect(await text(odd)).toBe('');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('a request could not be served');
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  expect(await answer.text()).toBe('served');
});
