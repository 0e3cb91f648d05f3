import { createServer } from 'node:net';
import { freePort } from '@wafleet/local-redis';
import { StartError } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { requireFreePorts } from './ports.js';

test('free ports pass and stay free', async () => {
  const port = await freePort();
  await requireFreePorts('127.0.0.1', [port]);
  await requireFreePorts('127.0.0.1', [port]);
});

test('a taken port is reported in one line, with what to do', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    const refused = requireFreePorts('127.0.0.1', [await freePort(), port]);
    await expect(refused).rejects.toThrow(StartError);
    await expect(refused).rejects.toThrow(
      new RegExp(`^Port ${port} of 127.0.0.1 is in use.*PORT=\\d+ npm start$`),
    );
  } finally {
    server.close();
  }
});
