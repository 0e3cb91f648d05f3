import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { CallLine } from '../limits/call-line.js';
import { FairPace } from '../limits/fair-pace.js';
import { Turns } from '../limits/turns.js';
import { guardCalls } from './call-places.js';

it('a connection that sends calls faster than they are refused is not read meanwhile', async () => {
  const [sent, line] = [5_000, 'GET /api/sessions HTTP/1.1\r\nHost: edge\r\nX-Api-Key: a-key\r\n\r\n'];
  let [refused, answered, mostHeld] = [0, 0, 0];
  const server = createServer();
  server.on('request', (_, response) => response.end());
  guardCalls(server, '*', {
    line: new CallLine({
      limits: { callsPerTenant: 0, callsPerKey: 0 },
      turns: new Turns({ pace: new FairPace() }),
      onExceeded: () => {
        refused += 1;
        mostHeld = Math.max(mostHeld, refused - answered);
      },
    }),
    keys: { knownHolder: () => ({ tenantId: 'tnt_a', keyId: 'key_a' }) },
    connectionLimits: { addressOf: () => '127.0.0.1' },
  });
  server.prependListener('request', (_, response) => {
    response.once('finish', () => {
      answered += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    client.resume();
    client.write(line.repeat(sent));
    await waitFor(() => answered === sent, { what: 'all are answered' });
  } finally {
    client.destroy();
    server.close();
  }
  // One read of the connection brings about 800 of them.
  expect(mostHeld).toBeLessThan(2_000);
});
