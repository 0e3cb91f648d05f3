import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness } from './testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

it('a session publishes everything that was done to a group and to a message while it was away', async () => {
  const anna = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const first = await harness.newSession();
  await first.link(anna);
  const team = carl.createGroup('Team', [anna]);
  await carl.send(anna, 'before');
  await first.event('messages.upsert', 'before');
  await first.session.stop({ reason: 'away' });

  team.setSubject(carl, 'Team 2');
  team.configure(carl, { announce: true });
  const sent = await carl.send(anna, 'said too soon');
  await carl.react(sent, '🙈');
  await carl.react(sent, '');
  await carl.revoke(sent);

  const second = await harness.takeOver(first.fence, first.fence.worker);
  await second.session.start();
  await second.event('messages.delete', sent.id);
  const [device] = anna.devices.values();
  await waitFor(() => device?.pendingCount === 0, { what: 'everything acknowledged' });

  const reported = async (event: string) =>
    JSON.stringify(
      (await second.events()).filter((each) => each.event === event).map(({ payload }) => payload),
    );
  await second.event('groups.update', '"announce":true');
  expect(await reported('groups.update')).toContain('Team 2');
  expect(await reported('messages.upsert')).toContain('said too soon');
  const reactions = await reported('messages.reaction');
  expect(reactions.indexOf('🙈')).toBeGreaterThan(0);
  expect(reactions.indexOf('"text":""')).toBeGreaterThan(reactions.indexOf('🙈'));
  expect(await reported('messages.update')).toContain('"messageStubType":1');
});
