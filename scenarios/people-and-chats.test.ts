import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

const execute = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const PAGE = 'docs/contacts-and-chats.md';

let cluster: Cluster;
let tenant: TestTenant;
let anna: Phone;
let carl: Phone;
const params = { id: 'shop' };

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  anna = cluster.simulator.addPhone({ name: 'Anna', number: '15551230001' });
  carl = cluster.simulator.addPhone({ name: 'Carl', number: '15551230002' });
  await tenant.client.call('create-session', { body: params });
  await cluster.linkByQr(tenant.client, 'shop', anna);
  // The phone shares the keys of the settings after the link.
  await waitFor(
    () =>
      tenant.client.call('unpin-chat', { params: { ...params, chat: carl.number } }).then(
        () => true,
        () => false,
      ),
    { what: 'the keys of the settings' },
  );
});
afterAll(() => cluster?.stop());

const shown = (...index: string[]) => anna.settings.state.entry(...index);

/** Runs the examples of the page that contain a text, as a reader does, and returns their output. */
async function runExamples(containing: string): Promise<string> {
  const [setUp = '', ...examples] = codeBlocks(PAGE, 'sh');
  const wanted = examples.filter((example) => example.includes(containing));
  expect(wanted).toHaveLength(1);
  const script = [setUp.replace('http://localhost:3000', cluster.edges[0]?.url ?? ''), ...wanted].join('\n');
  const { stdout } = await execute('sh', ['-euc', script], {
    env: { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey },
  });
  return stdout;
}

// A bare machine may lack curl; the tests then count as skipped.
describe.skipIf(!hasCurl)(`the examples of ${PAGE}`, () => {
  test('check numbers', async () => {
    expect(JSON.parse(await runExamples('contacts/check'))).toEqual({
      items: [
        { number: carl.number, isOnWhatsApp: true, phone: carl.number, lid: carl.lid },
        { number: '15550009999', isOnWhatsApp: false, phone: null, lid: null },
      ],
    });
  });

  test('look a person up', async () => {
    carl.setPicture(Buffer.from('a picture'));
    const output = await runExamples('picture?size=preview');
    expect(output).toContain(`{"phone":"${carl.number}","lid":"${carl.lid}"}`);
    expect(output).toContain('"url":"https://');
    expect(output).toContain(`"about":"${carl.about}"`);
  });

  test('save, delete, block and unblock a person', async () => {
    const output = await runExamples('Ada Lovelace');
    expect(output).toContain(`{"items":[{"phone":"${carl.number}","lid":"${carl.lid}"}]}`);
    expect(shown('contact', carl.jid)).toBeUndefined();
    expect(anna.blocked.size).toBe(0);
  });

  test('follow presence', async () => {
    await runExamples('presence-subscription');
    expect(cluster.simulator.presence.of(anna).type).toBe('available');
  });

  test('change a chat', async () => {
    await runExamples('chats/15551230002/archive');
    expect(shown('archive', carl.lid)?.archiveChatAction?.archived).toBe(true);
    expect(shown('mute', carl.lid)?.muteAction?.muted).toBe(true);
    expect(shown('markChatAsRead', carl.lid)?.markChatAsReadAction?.read).toBe(false);
    const timer = await carl.waitForMessage(({ message }) =>
      JSON.stringify(message).includes('"ephemeralExpiration":604800'),
    );
    expect(timer.sender).toBe(anna);
  });

  test('clear and delete a chat', async () => {
    await runExamples('chats/15551230002/messages"');
    expect(shown('clearChat', carl.lid, '1', '0')).toBeDefined();
    expect(shown('deleteChat', carl.lid, '1')).toBeDefined();
  });

  test('put labels on a chat and a message', async () => {
    await runExamples('labels/7');
    expect(shown('label_edit', '7')?.labelEditAction?.name).toBe('Paid');
    expect(shown('label_jid', '7', carl.jid)?.labelAssociationAction?.labeled).toBe(true);
    expect(shown('label_message', '7', carl.jid, '3EB0AA01', '0', '0')).toBeDefined();
  });

  test('change the profile and the privacy', async () => {
    const output = await runExamples('profile/name');
    expect(output).toContain(`"phone":"${anna.number}"`);
    expect(anna.name).toBe('The shop');
    expect(anna.about).toBe('Open till six');
    expect(anna.privacy.get('last')).toBe('contacts');
    expect(anna.disappearingMode.duration).toBe(7_776_000);
  });
});

test('a picture of the largest size goes through the cluster', async () => {
  const header = 'ffd8ffc00011080280028003012200021101031101';
  const image = Buffer.concat([Buffer.from(header, 'hex'), Buffer.alloc(256 * 1024 - 21)]);
  await tenant.client.call('set-picture', { params, body: { image: image.toString('base64') } });
  const { path = '' } = cluster.simulator.pictures.of(anna) ?? {};
  expect(cluster.simulator.media.get(path)?.equals(image)).toBe(true);
});

test('a call is rejected by the id of its event', async () => {
  const ringing = carl.call(anna);
  const call = { params: { ...params, call: ringing.id }, body: {} };
  // The call has to reach the worker first.
  await waitFor(
    () =>
      tenant.client.call('reject-call', call).then(
        () => true,
        () => false,
      ),
    { what: 'the call known' },
  );
  expect(ringing.state).toBe('rejected');
});
