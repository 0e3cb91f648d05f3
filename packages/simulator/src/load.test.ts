import { expect, test } from 'vitest';
import { Simulator } from './simulator.js';
import { LightClient } from './testing/light-client.js';
import { until } from './testing/until.js';

const clientCount = 40;

test(`${clientCount} devices are linked, and one phone writes to all of them`, async () => {
  const simulator = new Simulator();
  await simulator.start();
  const people = Array.from({ length: clientCount }, (_, index) =>
    simulator.addPhone({ name: `Person ${index}` }),
  );
  const clients = await Promise.all(
    people.map((phone) => LightClient.linked(simulator.url, (qr) => phone.scan(qr))),
  );
  expect(simulator.gate.onlineCount).toBe(clientCount);
  const greetings = clients.map(({ received }) => received);
  const sender = simulator.addPhone({ name: 'Sender' });
  for (const phone of people) await sender.send(phone, 'to everybody');
  await until('a message for everybody', () =>
    clients.every(({ received }, index) => received > (greetings[index] ?? 0)),
  );
  await until('all acknowledgements', () =>
    people.every(({ devices }) => [...devices.values()].every(({ pendingCount }) => pendingCount === 0)),
  );
  for (const client of clients) client.end();
  await simulator.stop();
});
