import { beforeEach, describe, expect, test } from 'vitest';
import type { SessionRef } from '../redis/session-ref.js';
import { useRedis } from '../testing/redis-fixture.js';
import { VersionCluster } from '../testing/version-cluster.js';
import { ClientVersions } from './client-versions.js';

const fixture = useRedis();

const BUNDLED = '2.3000.1000';
const NEWER = '2.3000.2000';
const NEWEST = '2.3000.3000';
const X = ref('x');
const Y = ref('y');
const Z = ref('z');

let cluster: VersionCluster;

beforeEach(() => {
  cluster = new VersionCluster(fixture.redis, { clientVersion: BUNDLED });
});

function ref(tenantId: string): SessionRef {
  return { tenantId, sessionId: 'phone' };
}

/** A session is open with the version that Baileys reports, and WhatsApp's page names these. */
async function clusterThatKnows(...found: readonly string[]): Promise<void> {
  await cluster.report(BUNDLED, 'normal', 'opened', Z);
  for (const version of found) await new ClientVersions(fixture.redis).noteCheck({ version });
}

/** Lets probes begin until none is possible, and has each end with that outcome. Returns their versions. */
async function probesThatEnd(outcome: 'failed' | 'unclear' | 'refused'): Promise<string[]> {
  const probed: string[] = [];
  for (;;) {
    const { breaker, version, prober } = await cluster.take([X, Y]);
    if (breaker !== 'probe') return probed;
    probed.push(version);
    await cluster.report(version, 'probe', outcome, prober);
  }
}

describe('a probe', () => {
  test.each(['failed', 'unclear'] as const)(
    'that is %s keeps no other version waiting, and is repeated after a pause that doubles',
    async (outcome) => {
      await clusterThatKnows(NEWER, NEWEST);
      await cluster.refuse(BUNDLED, X, Y);
      expect(await probesThatEnd(outcome)).toEqual([NEWEST, NEWER]);
      const pauses: number[] = [];
      for (let round = 0; round < 9; round += 1) {
        await cluster.closeFor(BUNDLED, 86_400_000);
        const { waitMs } = await cluster.take([X, Y]);
        pauses.push(Math.round(waitMs / 5_000) * 5);
        await cluster.pass(waitMs + 1_000);
        expect(await probesThatEnd(outcome)).toContain(NEWEST);
      }
      expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    },
  );

  test('that no connection was made for is made again after a short pause', async () => {
    await clusterThatKnows(NEWER);
    await cluster.refuse(BUNDLED, X, Y);
    expect(await cluster.take([X])).toMatchObject({ version: NEWER, prober: X });
    await cluster.report(NEWER, 'probe', 'unused', X);
    expect((await cluster.take([X])).waitMs).toBeLessThanOrEqual(5_000);
    await cluster.pass(6_000);
    expect(await cluster.take([X])).toMatchObject({ version: NEWER, prober: X });
  });

  test('is made by a session that was linked, and last by one that just failed', async () => {
    await clusterThatKnows(NEWER);
    await cluster.refuse(BUNDLED, X, Y);
    const demand = { urgent: 1, others: 2, mayTry: [Y], mayProbe: [X], toLink: [ref('new')] };
    expect(await cluster.rate.take(demand)).toMatchObject({ urgent: 0, others: 1, prober: Y });
    await cluster.report(NEWER, 'probe', 'unused', Y);
    await cluster.pass(6_000);
    expect(await cluster.rate.take({ ...demand, mayTry: [] })).toMatchObject({ others: 1, prober: X });
  });

  test('of a version that was given up in its trial waits for a pause', async () => {
    await clusterThatKnows(NEWER);
    await cluster.take([X, Y, Z]);
    for (const session of [X, Y, Z]) await cluster.report(NEWER, 'trial', 'failed', session);
    await cluster.take([]);
    await cluster.refuse(BUNDLED, X, Y);
    const { breaker, waitMs } = await cluster.take([X]);
    expect(breaker).toBe('open');
    expect(waitMs).toBeGreaterThan(20_000);
  });

  test('waits no longer than the longest pause after the clock of Redis was set back', async () => {
    await clusterThatKnows();
    await cluster.refuse(BUNDLED, X, Y);
    await cluster.pass(-86_400_000);
    expect((await cluster.take([X])).waitMs).toBeLessThanOrEqual(1_800_000);
  });
});

describe('codes of a client that is to be linked', () => {
  const link = { urgent: 1, others: 0, toLink: [ref('new')] };

  test('prove nothing of a version that never worked: linked sessions wait until one is opened', async () => {
    await clusterThatKnows(NEWER);
    await cluster.refuse(BUNDLED, X, Y);
    expect(await cluster.rate.take(link)).toMatchObject({ breaker: 'probe', version: NEWER, urgent: 1 });
    expect(await cluster.report(NEWER, 'probe', 'accepted', ref('new'))).toBeUndefined();
    expect(await cluster.take([X, Y])).toMatchObject({ breaker: 'probe', version: NEWER, others: 1 });
    expect(await cluster.take([X, Y])).toMatchObject({ breaker: 'open', others: 0 });
    expect(await cluster.report(NEWER, 'probe', 'opened', X)).toBe(NEWER);
    expect(await cluster.take([Y])).toMatchObject({ breaker: 'closed', version: NEWER });
  });

  test('let other clients be linked with that version, whose first login proves it', async () => {
    await clusterThatKnows(NEWER);
    await cluster.refuse(BUNDLED, X, Y);
    await cluster.rate.take(link);
    await cluster.report(NEWER, 'probe', 'accepted', ref('new'));
    expect(await cluster.rate.take({ ...link, urgent: 3 })).toMatchObject({
      breaker: 'open',
      urgent: 3,
      others: 0,
      linking: { first: NEWER, second: NEWER },
    });
    expect(await cluster.report(NEWER, 'link', 'opened', ref('new'))).toBe(NEWER);
    expect(await cluster.take([X])).toMatchObject({ breaker: 'closed', version: NEWER });
  });

  test('prove a version that has worked before', async () => {
    await clusterThatKnows();
    await cluster.refuse(BUNDLED, X, Y);
    await cluster.pass(31_000);
    expect(await cluster.rate.take(link)).toMatchObject({ breaker: 'probe', version: BUNDLED });
    await cluster.report(BUNDLED, 'probe', 'accepted', ref('new'));
    expect(await cluster.take([X])).toMatchObject({ breaker: 'closed', version: BUNDLED });
  });
});

describe('a session that alone is refused', () => {
  test('keeps no other session waiting, and moves the cluster to no other version', async () => {
    await clusterThatKnows(NEWER);
    expect(await cluster.report(BUNDLED, 'normal', 'refused', X)).toBeUndefined();
    expect(await cluster.take([X, Y])).toMatchObject({ breaker: 'probe', version: BUNDLED, prober: Y });
    await cluster.report(BUNDLED, 'probe', 'opened', Y);
    expect(await cluster.take([Y])).toMatchObject({ breaker: 'closed', version: BUNDLED });
    for (let time = 0; time < 20; time += 1) {
      await cluster.report(BUNDLED, 'normal', 'refused', X);
      expect(await cluster.take([Y])).toMatchObject({ breaker: 'closed', version: BUNDLED });
    }
  });

  test('is checked with the version in use alone, and others wait for their pause', async () => {
    await clusterThatKnows(NEWER);
    await cluster.take([X, Y, Z]);
    for (const session of [X, Y, Z]) await cluster.report(NEWER, 'trial', 'opened', session);
    await cluster.pass(61_000);
    expect(await cluster.take([])).toMatchObject({ version: NEWER });
    await cluster.refuse(NEWER, X, Y);
    expect(await cluster.take([X])).toMatchObject({ breaker: 'probe', version: BUNDLED });
    await cluster.report(BUNDLED, 'probe', 'refused', X);
    expect(await cluster.take([Z])).toMatchObject({ breaker: 'open' });
    await cluster.pass(31_000);
    expect(await cluster.take([Z])).toMatchObject({ breaker: 'probe' });
  });

  test('moves the cluster to no other version if the check ends without a verdict, unless that goes on', async () => {
    await clusterThatKnows(NEWER);
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    for (let check = 0; check < 3; check += 1) {
      expect(await cluster.take([Y])).toMatchObject({ breaker: 'probe', version: BUNDLED });
      await cluster.report(BUNDLED, 'probe', 'unclear', Y);
      if (check === 2) break;
      expect(await cluster.take([Y])).toMatchObject({ breaker: 'open' });
      await cluster.pass(11_000);
    }
    expect(await cluster.take([Y])).toMatchObject({ breaker: 'probe', version: NEWER });
  });

  test('lengthens no pause of another one, and what it was answered on other versions is taken back', async () => {
    await clusterThatKnows(NEWER);
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    for (let time = 0; time < 12; time += 1) {
      const { breaker, version, prober } = await cluster.take([X]);
      if (breaker === 'probe') await cluster.report(version, 'probe', 'refused', prober);
      else await cluster.pass(600_000);
    }
    expect(await cluster.stateOf(NEWER)).toBe('refused');
    expect(await cluster.take([X, Y])).toMatchObject({ breaker: 'probe', version: BUNDLED, prober: Y });
    await cluster.report(BUNDLED, 'probe', 'opened', Y);
    expect(await cluster.take([Y])).toMatchObject({ breaker: 'closed', version: BUNDLED });
    expect(await cluster.stateOf(NEWER)).not.toBe('refused');
  });

  test('takes no part in a trial, and ends none', async () => {
    await clusterThatKnows();
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    await cluster.take([Y]);
    await cluster.report(BUNDLED, 'probe', 'opened', Y);
    await new ClientVersions(fixture.redis).noteCheck({ version: NEWER });
    expect((await cluster.take([X, Y])).trial?.sessions).toEqual([Y]);
    await cluster.report(NEWER, 'link', 'refused', X);
    expect(await cluster.stateOf(NEWER)).toBe('trying');
  });

  test('counts again after an hour', async () => {
    await clusterThatKnows();
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    await cluster.take([Y]);
    await cluster.report(BUNDLED, 'probe', 'opened', Y);
    await cluster.pass(3_601_000);
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    expect(await cluster.take([Y])).toMatchObject({ breaker: 'probe', version: BUNDLED });
  });

  test('is not alone once another one is refused, and the pauses start over', async () => {
    await clusterThatKnows();
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    for (let time = 0; time < 5; time += 1) await cluster.report(BUNDLED, 'probe', 'refused', X);
    await cluster.report(BUNDLED, 'normal', 'refused', Y);
    const { breaker, waitMs } = await cluster.take([Z]);
    expect(breaker).toBe('open');
    expect(waitMs).toBeLessThanOrEqual(30_000);
  });

  test('of a cluster finds a version by itself', async () => {
    await clusterThatKnows(NEWER);
    await cluster.report(BUNDLED, 'normal', 'refused', X);
    expect(await cluster.take([X])).toMatchObject({ breaker: 'probe', version: NEWER, prober: X });
    expect(await cluster.report(NEWER, 'probe', 'opened', X)).toBe(NEWER);
  });
});

describe('an outage while a version is tried', () => {
  test('says nothing of it: one session after the other tries it again, after a pause', async () => {
    await clusterThatKnows(NEWER);
    const sessions = ['a', 'b', 'c', 'd', 'e', 'f'].map(ref);
    await cluster.take(sessions);
    for (const session of sessions.slice(0, 5)) await cluster.report(NEWER, 'trial', 'unclear', session);
    expect(await cluster.take(sessions)).toMatchObject({ trial: { version: NEWER, sessions: [] } });
    await cluster.pass(31_000);
    expect((await cluster.take(sessions)).trial?.sessions).toEqual(sessions.slice(0, 1));
    expect((await cluster.take(sessions)).trial?.sessions).toEqual(sessions.slice(0, 1));
    await cluster.report(NEWER, 'trial', 'opened', ref('a'));
    expect((await cluster.take(sessions)).trial?.sessions).toEqual(sessions.slice(0, 5));
  });

  test('lets a version that nothing is heard of reach fewer and fewer sessions', async () => {
    await clusterThatKnows(NEWER);
    let reached = 0;
    for (let minute = 0; minute < 24 * 60; minute += 5) {
      const sessions = Array.from({ length: 10 }, (_, index) => ref(`tenant-${minute}-${index}`));
      const { trial } = await cluster.take(sessions);
      for (const session of trial?.sessions ?? []) {
        reached += 1;
        await cluster.report(NEWER, 'trial', 'unclear', session);
      }
      await cluster.pass(300_000);
    }
    expect(reached).toBeLessThan(60);
    await cluster.pass(300_000);
    expect((await cluster.take([X])).trial).toBeUndefined();
    expect(await cluster.stateOf(NEWER)).toBe('refused');
  });
});

test('a version that is too far from the one in use is neither tried nor probed', async () => {
  await new ClientVersions(fixture.redis).noteCheck({ version: '2.3000.999999999' });
  await cluster.report(BUNDLED, 'normal', 'opened', Z);
  expect((await cluster.take([X])).trial).toBeUndefined();
  await cluster.refuse(BUNDLED, X, Y);
  expect(await cluster.take([X])).toMatchObject({ breaker: 'open' });
});
