import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import type { SessionRef } from '../redis/session-ref.js';
import { useRedis } from '../testing/redis-fixture.js';
import { VersionCluster } from '../testing/version-cluster.js';
import type { ClientVersions } from './client-versions.js';
import type { ConnectPurpose, ConnectRate, ConnectRateOptions, ConnectReport } from './connect-rate.js';

const fixture = useRedis();

const BUNDLED = '2.3000.1000';
const NEWER = '2.3000.2000';
const NEWEST = '2.3000.3000';
const OLDER = '2.3000.900';

let cluster: VersionCluster;
let rate: ConnectRate;
let versions: ClientVersions;

beforeEach(() => {
  cluster = new VersionCluster(fixture.redis, { clientVersion: BUNDLED });
  ({ rate, versions } = cluster);
});

const rateOf = (options: Partial<ConnectRateOptions> = {}) => cluster.rateOf(options);
const pass = (ms: number) => cluster.pass(ms);
const stateOf = (version: string) => cluster.stateOf(version);

const ref = (tenantId: string, sessionId = 'phone'): SessionRef => ({ tenantId, sessionId });
const TENANTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((tenantId) => ref(tenantId));

function report(
  version: string,
  purpose: ConnectPurpose,
  outcome: ConnectReport['outcome'],
  session?: SessionRef,
): Promise<string | undefined> {
  return rate.report({ version, purpose, outcome, session });
}

/** A session is open with the version that Baileys reports, and WhatsApp's page names these. */
async function clusterThatKnows(...found: readonly string[]): Promise<void> {
  await report(BUNDLED, 'normal', 'opened', ref('a'));
  for (const version of found) await versions.noteCheck({ version });
}

const refuse = (version: string) => cluster.refuse(version, ref('a'), ref('b'));

/** The version of the next connect of these sessions: of those that try one, and of the others. */
async function nextConnects(mayTry: readonly SessionRef[] = []) {
  const { version, trial, breaker } = await rate.take({ urgent: 0, others: mayTry.length, mayTry });
  return { version, breaker, trial: trial?.version, trying: trial?.sessions.map(({ tenantId }) => tenantId) };
}

describe('the version that sessions report', () => {
  test('is that of Baileys while the cluster knows no other one', async () => {
    expect(await nextConnects(TENANTS)).toEqual({
      version: BUNDLED,
      breaker: 'closed',
      trial: undefined,
      trying: undefined,
    });
    expect((await rate.take({ urgent: 1, others: 0 })).linking).toEqual({ first: BUNDLED, second: BUNDLED });
  });

  test('has worked once a session was opened with it', async () => {
    expect((await rate.take({ urgent: 1, others: 0 })).hasWorked).toBe(false);
    await report(BUNDLED, 'normal', 'opened', ref('a'));
    expect((await rate.take({ urgent: 1, others: 0 })).hasWorked).toBe(true);
    expect(await versions.view()).toMatchObject({ current: BUNDLED, versions: [{ state: 'worked' }] });
  });

  test('is the pinned one, which no other one replaces', async () => {
    await clusterThatKnows(NEWER);
    rate = rateOf({ clientVersion: OLDER, isPinned: true });
    expect(await nextConnects(TENANTS)).toMatchObject({ version: OLDER, trial: undefined });
    await report(OLDER, 'normal', 'refused', ref('a'));
    expect(await nextConnects(TENANTS)).toMatchObject({ version: OLDER, breaker: 'open' });
    expect(await stateOf(BUNDLED)).toBe('worked');
    rate = rateOf();
    expect(await nextConnects()).toMatchObject({ version: BUNDLED, breaker: 'closed' });
  });

  test('is that of the cluster for a worker of another release, which brings a version to be tried', async () => {
    await clusterThatKnows();
    rate = rateOf({ clientVersion: OLDER });
    expect(await nextConnects(TENANTS)).toMatchObject({ version: BUNDLED, trial: undefined });
    rate = rateOf({ clientVersion: NEWER });
    expect(await nextConnects(TENANTS)).toMatchObject({ version: BUNDLED, trial: NEWER });
  });

  test('survives records that cannot be read', async () => {
    await clusterThatKnows(NEWER);
    await fixture.redis.hset(
      keys.clientVersions,
      NEWER,
      'damaged',
      NEWEST,
      '{"state":7}',
      'suspectedAt',
      'x',
    );
    expect(await nextConnects(TENANTS)).toMatchObject({ version: BUNDLED, breaker: 'closed' });
    expect((await versions.view()).current).toBe(BUNDLED);
    await fixture.redis.del(keys.clientVersions);
    await fixture.redis.set(keys.clientVersions, 'damaged');
    expect(await nextConnects(TENANTS)).toMatchObject({ version: BUNDLED, breaker: 'closed' });
  });
});

describe('a newer version', () => {
  test('is tried by five sessions of different tenants, and by no further one', async () => {
    await clusterThatKnows(NEWER);
    const sessions = [ref('a'), ref('a', 'second'), ...TENANTS.slice(1)];
    expect(await nextConnects(sessions)).toEqual({
      version: BUNDLED,
      breaker: 'closed',
      trial: NEWER,
      trying: ['a', 'b', 'c', 'd', 'e'],
    });
    expect((await nextConnects([ref('f'), ref('h'), ref('a', 'second')])).trying).toEqual([]);
  });

  test('is tried by as many sessions as may connect now', async () => {
    await clusterThatKnows(NEWER);
    rate = rateOf({ perSecond: 4 });
    await fixture.redis.del(keys.connectBucket);
    expect((await nextConnects(TENANTS)).trying).toEqual(['a', 'b', 'c']);
  });

  test('is reported by all once three sessions have stayed open for long enough', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects(TENANTS.slice(0, 4));
    for (const session of TENANTS.slice(0, 3)) await report(NEWER, 'trial', 'opened', session);
    await pass(59_000);
    expect(await nextConnects()).toMatchObject({ version: BUNDLED });
    await pass(2_000);
    expect(await nextConnects()).toMatchObject({ version: NEWER, trial: undefined });
    expect(await versions.view()).toMatchObject({ current: NEWER });
    expect(await stateOf(BUNDLED)).toBe('worked');
  });

  test('is reported by all of a small fleet once all that tried it have stayed open for longer', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects([ref('a')]);
    await report(NEWER, 'trial', 'opened', ref('a'));
    await pass(61_000);
    expect(await nextConnects()).toMatchObject({ version: BUNDLED });
    await pass(300_000);
    expect(await nextConnects()).toMatchObject({ version: NEWER });
  });

  test('is refused by one 405, and the others never report it', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects(TENANTS.slice(0, 2));
    await report(NEWER, 'trial', 'opened', ref('a'));
    expect(await report(NEWER, 'trial', 'refused', ref('b'))).toBeUndefined();
    expect(await stateOf(NEWER)).toBe('refused');
    await pass(120_000);
    expect(await nextConnects(TENANTS)).toMatchObject({
      version: BUNDLED,
      breaker: 'closed',
      trial: undefined,
    });
    expect(await versions.noteCheck({ version: NEWER })).toBe('known');
    expect(await nextConnects(TENANTS)).toMatchObject({ trial: undefined });
    await pass(86_400_000);
    expect(await nextConnects(TENANTS)).toMatchObject({ trial: undefined });
    expect(await stateOf(NEWER)).toBeUndefined();
  });

  test('is given up after three tries that were never opened, one of them lost with its worker', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects(TENANTS.slice(0, 3));
    await report(NEWER, 'trial', 'failed', ref('a'));
    await report(NEWER, 'trial', 'failed', ref('b'));
    expect((await nextConnects([ref('a'), ref('b')])).trying).toEqual([]);
    expect(await stateOf(NEWER)).toBe('trying');
    await pass(80_000);
    expect(await nextConnects(TENANTS)).toMatchObject({ version: BUNDLED, trial: undefined });
    expect(await stateOf(NEWER)).toBe('refused');
  });

  test('is tried again by a session that had it open, and by one that made no use of its permit', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects([ref('a'), ref('b')]);
    await report(NEWER, 'trial', 'opened', ref('a'));
    await report(NEWER, 'trial', 'ended', ref('a'));
    await report(NEWER, 'trial', 'unused', ref('b'));
    expect((await nextConnects([ref('a'), ref('b')])).trying).toEqual(['a', 'b']);
    // An outage of WhatsApp says nothing against a version with which the session was open before.
    await report(NEWER, 'trial', 'failed', ref('a'));
    expect((await nextConnects([ref('a')])).trying).toEqual(['a']);
  });

  test('waits until the trial of another one is over', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects([ref('a')]);
    await versions.noteCheck({ version: NEWEST });
    expect(await nextConnects([ref('b')])).toMatchObject({ trial: NEWER, trying: ['b'] });
    await report(NEWER, 'trial', 'refused', ref('b'));
    expect(await nextConnects([ref('c')])).toMatchObject({ trial: NEWEST, trying: ['c'] });
  });

  test('whose trial does not end within a day is given up', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects([ref('a'), ref('b')]);
    await report(NEWER, 'trial', 'opened', ref('a'));
    await report(NEWER, 'trial', 'failed', ref('b'));
    await pass(86_500_000);
    expect(await nextConnects([ref('c')])).toMatchObject({ version: BUNDLED, trial: undefined });
  });
});

describe('the version in use, when WhatsApp refuses it', () => {
  test('is replaced by the newest other one as soon as one session has it open', async () => {
    await clusterThatKnows(NEWER, NEWEST);
    expect(await refuse(BUNDLED)).toBeUndefined();
    expect(await nextConnects(TENANTS)).toMatchObject({ version: NEWEST, breaker: 'probe' });
    expect(await nextConnects(TENANTS)).toMatchObject({ breaker: 'open' });
    expect(await report(NEWEST, 'probe', 'opened', ref('b'))).toBe(NEWEST);
    expect(await nextConnects()).toMatchObject({ version: NEWEST, breaker: 'closed' });
    expect(await stateOf(BUNDLED)).toBe('refused');
  });

  test('is replaced at once by one that a session has open', async () => {
    await clusterThatKnows(NEWER);
    await nextConnects([ref('c')]);
    await report(NEWER, 'trial', 'opened', ref('c'));
    expect(await refuse(BUNDLED)).toBe(NEWER);
    expect(await nextConnects()).toMatchObject({ version: NEWER, breaker: 'closed' });
  });

  test('is replaced by one that worked before if the newer ones are refused as well', async () => {
    await clusterThatKnows(NEWER);
    await refuse(BUNDLED);
    await nextConnects(TENANTS);
    await report(NEWER, 'probe', 'opened', ref('a'));
    await versions.noteCheck({ version: NEWEST });
    rate = rateOf({ clientVersion: OLDER });
    await refuse(NEWER);
    for (const version of [NEWEST, OLDER]) {
      expect(await nextConnects(TENANTS)).toMatchObject({ version, breaker: 'probe' });
      if (version === NEWEST) await report(version, 'probe', 'refused', ref('b'));
    }
    expect(await report(OLDER, 'probe', 'opened', ref('b'))).toBe(OLDER);
    expect(await nextConnects()).toMatchObject({ version: OLDER, breaker: 'closed' });
  });

  test('and all others with it, is probed after a pause, and a version that is found then at once', async () => {
    await clusterThatKnows(NEWER);
    await refuse(BUNDLED);
    await nextConnects(TENANTS);
    await report(NEWER, 'probe', 'refused', ref('a'));
    const { breaker, waitMs } = await rate.take({ urgent: 1, others: 0 });
    expect(breaker).toBe('open');
    expect(waitMs).toBeGreaterThan(20_000);
    expect(waitMs).toBeLessThanOrEqual(30_000);
    await versions.noteCheck({ version: NEWEST });
    expect(await nextConnects(TENANTS)).toMatchObject({ version: NEWEST, breaker: 'probe' });
    await report(NEWEST, 'probe', 'refused', ref('a'));
    await pass(31_000);
    expect(await nextConnects(TENANTS)).toMatchObject({ breaker: 'probe' });
  });

  test('is replaced by an older one that the page names', async () => {
    await clusterThatKnows(OLDER);
    await refuse(BUNDLED);
    expect(await nextConnects(TENANTS)).toMatchObject({ version: OLDER, breaker: 'probe' });
  });

  test('asks for a look at the page, at most once a minute', async () => {
    const times = { everyMs: 3_600_000, retryMs: 300_000, leastMs: 60_000 };
    await clusterThatKnows();
    expect(await versions.beginCheck(times)).toBe(true);
    await versions.noteCheck({ version: BUNDLED });
    await report(BUNDLED, 'normal', 'refused', ref('a'));
    expect(await versions.beginCheck(times)).toBe(false);
    await pass(61_000);
    expect(await versions.beginCheck(times)).toBe(true);
    expect(await versions.beginCheck(times)).toBe(false);
  });
});

describe('the version of a client that is to be linked', () => {
  const linking = async () => (await rate.take({ urgent: 1, others: 0 })).linking;

  test('is the one in use, and the newest after a link that failed', async () => {
    await clusterThatKnows(NEWER, NEWEST);
    expect(await linking()).toEqual({ first: BUNDLED, second: NEWEST });
    await report(NEWEST, 'link', 'refused', ref('a'));
    expect(await linking()).toEqual({ first: BUNDLED, second: NEWER });
  });

  test('is first the newest for an hour after a phone could not be linked with the one in use', async () => {
    await clusterThatKnows(NEWER);
    await rate.suspectAtLinking(BUNDLED, { isCertain: false });
    expect(await linking()).toEqual({ first: BUNDLED, second: NEWER });
    await rate.suspectAtLinking(BUNDLED, { isCertain: true });
    expect(await linking()).toEqual({ first: NEWER, second: BUNDLED });
    await pass(3_601_000);
    expect(await linking()).toEqual({ first: BUNDLED, second: NEWER });
  });

  test('is first the one with which a phone was linked, until that fails or is refused', async () => {
    await clusterThatKnows(NEWER);
    await report(NEWER, 'link', 'opened', ref('z'));
    expect(await linking()).toEqual({ first: NEWER, second: BUNDLED });
    expect(await versions.view()).toMatchObject({ current: BUNDLED, linking: NEWER });
    await rate.suspectAtLinking(NEWER, { isCertain: true });
    expect(await linking()).toEqual({ first: BUNDLED, second: NEWER });
    await report(NEWER, 'link', 'opened', ref('y'));
    await report(NEWER, 'link', 'refused', ref('x'));
    expect(await linking()).toEqual({ first: BUNDLED, second: BUNDLED });
  });

  test('counts as tried when the session is logged in with it', async () => {
    await clusterThatKnows(NEWER);
    for (const session of TENANTS.slice(0, 3)) await report(NEWER, 'link', 'opened', session);
    await pass(61_000);
    expect(await nextConnects()).toMatchObject({ version: NEWER });
  });
});

test('no more than a few sessions are kept of a version with which many phones were linked', async () => {
  await clusterThatKnows(NEWER);
  for (let number = 0; number < 30; number += 1)
    await report(NEWER, 'link', 'opened', ref(`tenant-${number}`));
  const view = await versions.view();
  expect(view.versions.find(({ version }) => version === NEWER)?.tries.all).toBe(10);
});

test('two workers that ask at the same time do not let more sessions try a version', async () => {
  await clusterThatKnows(NEWER);
  const other = rateOf();
  const demand = (sessions: readonly SessionRef[]) => ({ urgent: 0, others: 10, mayTry: sessions });
  const grants = await Promise.all([
    rate.take(demand(TENANTS)),
    other.take(demand(TENANTS.map(({ tenantId }) => ref(tenantId, 'other')))),
  ]);
  const sessions = grants.flatMap(({ trial }) => trial?.sessions ?? []);
  expect(sessions).toHaveLength(5);
  expect(new Set(sessions.map(({ tenantId }) => tenantId)).size).toBe(5);
  await waitFor(async () => (await stateOf(NEWER)) === 'trying', { what: 'the trial' });
});
