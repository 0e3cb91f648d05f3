import { Agent, buildConnector } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';

const simulator = new Simulator({ syncsByFile: true });
const anna = simulator.addPhone({ name: 'Anna' });
const carl = simulator.addPhone({ name: 'Carl' });
/** Leads every name to the simulator. */
let dispatcher: Agent;
let client: Client;

beforeAll(async () => {
  await simulator.start();
  anna.history.remember(carl, { id: 'H1', sender: carl, message: { conversation: 'long ago' } });
  await anna.settings.archiveChat(carl);
  await anna.settings.archiveChat(carl, false);
  await anna.settings.pinChat(carl);
  const connect = buildConnector({ ca: await simulator.certificate() });
  const port = String(simulator.port);
  dispatcher = new Agent({
    connect: (options, callback) => connect({ ...options, hostname: '127.0.0.1', port }, callback),
  });
  const options: RequestInit = {};
  // The types of Node.js' own fetch and of the package are not the same.
  Object.assign(options, { dispatcher });
  client = await Client.linked(simulator, anna, { options });
});

afterAll(async () => {
  await client.end();
  await dispatcher.close();
  await simulator.stop();
});

test('a client gets history and whole collections of app-state as files', async () => {
  // Not by its events: Baileys' buffer keeps a change of a chat that it has handed out before.
  await until('the app-state', async () => {
    const { regular_low: state } = await client.auth.keys.get('app-state-sync-version', ['regular_low']);
    return state !== undefined && state.version > 0;
  });
  await until('the history', () => JSON.stringify(client.events).includes('long ago'));
  // Three chunks of history, and at least the one collection that has entries, in any order.
  const downloads = () => simulator.arrivals.since(0).filter(({ what }) => what === 'download');
  await until('all downloads', () => downloads().length >= 4);
  expect(client.auth.creds.myAppStateKeyId).toBeDefined();
});

test('changes after a snapshot fit it', async () => {
  await client.sock.chatModify({ pin: false }, carl.lid);
  expect(anna.settings.state.entry('pin_v1', carl.lid)?.pinAction?.pinned).toBe(false);
});
