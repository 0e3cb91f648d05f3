import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness.js';
import { QUIET_LIMITS, type QuietLimits, SilenceDetector } from './silence-detector.js';

const MINUTE_MS = 60_000;
const MESSAGE = { tag: 'message', attrs: { id: '1' } };
const ACK = { tag: 'ack', attrs: { class: 'message' } };

function watchAt(start: number, share = 0) {
  let now = start;
  const watch = new SilenceDetector({}, () => now, share);
  watch.begin();
  const wait = (minutes: number) => {
    now += minutes * MINUTE_MS;
  };
  const hear = (count: number, everyMinutes: number) => {
    for (let heard = 0; heard < count; heard += 1) {
      wait(everyMinutes);
      watch.see(MESSAGE);
    }
  };
  return { watch, wait, hear };
}

describe('a connection is considered dead', () => {
  it('after a silence of 20 times the usual one, and of at least half an hour', () => {
    const busy = watchAt(1e12);
    busy.hear(30, 0.1);
    busy.wait(29);
    expect(busy.watch.verdict()).toBeUndefined();
    busy.wait(1);
    expect(busy.watch.verdict()).toBe('silence');

    const slow = watchAt(1e12);
    slow.hear(30, 60);
    slow.wait(19 * 60);
    expect(slow.watch.verdict()).toBeUndefined();
    slow.wait(60);
    expect(slow.watch.verdict()).toBe('silence');
  });

  it('after four to five hours while the usual silence is not known, as after a takeover', () => {
    for (const [share, hours] of [
      [0, 4],
      [1, 5],
    ] as const) {
      const silent = watchAt(1e12, share);
      silent.wait(hours * 60 - 1);
      expect(silent.watch.verdict()).toBeUndefined();
      silent.wait(1);
      expect(silent.watch.verdict()).toBe('silence');
    }
    const { watch, wait, hear } = watchAt(1e12);
    hear(QUIET_LIMITS.arrivals, 0.1);
    wait(4 * 60 - 1);
    expect(watch.verdict()).toBeUndefined();
    wait(1);
    expect(watch.verdict()).toBe('silence');
  });

  it('some hours apart at first, and once a day in the end, if the account is idle', () => {
    const { watch, wait } = watchAt(1e12);
    const reconnects: number[] = [];
    for (let minute = 0; minute < 6 * 24 * 60; minute += 1) {
      if (watch.verdict() !== undefined) {
        reconnects.push(minute / 60);
        watch.reconnecting();
        watch.begin();
      }
      wait(1);
    }
    expect(reconnects).toEqual([4, 8, 14, 26, 50, 74, 98, 122]);
  });

  it('when own messages are acknowledged and nothing else comes', () => {
    const { watch, wait, hear } = watchAt(1e12);
    for (let sent = 0; sent < QUIET_LIMITS.unansweredSends; sent += 1) watch.see(ACK);
    wait(9);
    expect(watch.verdict()).toBeUndefined();
    wait(1);
    expect(watch.verdict()).toBe('sends-unanswered');
    hear(1, 0);
    expect(watch.verdict()).toBeUndefined();
  });

  it('when messages that waited for the login are announced and do not come', () => {
    const { watch, wait, hear } = watchAt(1e12);
    const ib = (tag: string) => ({ tag: 'ib', attrs: {}, content: [{ tag, attrs: { count: '3' } }] });
    watch.see(ib('offline_preview'));
    wait(0.9);
    hear(1, 0);
    wait(0.9);
    expect(watch.verdict()).toBeUndefined();
    wait(0.1);
    expect(watch.verdict()).toBe('backlog-held-back');
    watch.see(ib('offline'));
    expect(watch.verdict()).toBeUndefined();
  });

  it('at most once in three hours, and in twice as long after each reconnect that brought nothing', () => {
    const { watch, wait, hear } = watchAt(1e12);
    hear(30, 0.1);
    wait(30);
    for (const hours of [3, 6, 12, 24, 24]) {
      expect(watch.verdict()).toBe('silence');
      watch.reconnecting();
      watch.begin();
      wait(hours * 60 - 1);
      expect(watch.verdict()).toBeUndefined();
      wait(1);
    }
    expect(watch.verdict()).toBe('silence');
    watch.reconnecting();
    hear(1, 1);
    wait(24 * 60);
    watch.reconnecting();
    wait(3 * 60);
    expect(watch.verdict()).toBe('silence');
  });
});

describe('a session whose connection is open and dead', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.start();
  });

  afterAll(async () => {
    await harness?.stop();
  });

  const quietLimits = {
    lookMs: 50,
    silenceMs: 1_000,
    timesUsual: 0,
    arrivals: 1,
    backlogMs: 500,
    pauseMs: { first: 60_000, longest: 60_000 },
  };

  async function linked(name: string) {
    const phone = harness.simulator.addPhone({ name });
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const first = await harness.newSession();
    await first.link(phone);
    await carl.send(phone, { text: 'before' });
    await first.event('messages.upsert', '"before"');
    const [device] = phone.devices.values();
    if (device === undefined) throw new Error('the phone has no device');
    await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged' });
    await first.session.stop({ reason: 'moved' });
    const open = (limits: Partial<QuietLimits> = {}) =>
      harness.takeOver(first.fence, first.fence.worker, { quietLimits: { ...quietLimits, ...limits } });
    return { phone, carl, device, open };
  }

  it('reconnects when it is silent for longer than usual, and gets each message once', async () => {
    const { phone, carl, device, open } = await linked('Anna');
    const test = await open();
    await test.session.start();
    await test.status('open');
    for (const text of ['one', 'two']) await carl.send(phone, { text });
    await test.event('messages.upsert', '"two"');
    device.withholdDeliveries();
    const { logins } = device.loginRecord;
    await carl.send(phone, { text: 'unheard' });
    await test.event('messages.upsert', '"unheard"');
    await test.event('connection.update', '"status":"reconnecting"', '"reason":"quiet"');
    await test.status('open');
    expect(device.loginRecord).toMatchObject({ logins: logins + 1, conflicts: 0 });
    const texts = (await test.events())
      .filter(({ event }) => event === 'messages.upsert')
      .flatMap(({ payload }) => /"conversation":"([^"]*)"/.exec(JSON.stringify(payload))?.[1] ?? []);
    expect(texts).toEqual(['before', 'one', 'two', 'unheard']);
    expect(test.session.lastMessageAt).toBeGreaterThan(0);
    expect(test.session.lastStanzaAt).toBeGreaterThanOrEqual(test.session.lastMessageAt);
  });

  it('reconnects when nothing has come since the takeover', async () => {
    const { phone, carl, device, open } = await linked('Dora');
    const test = await open({ arrivals: 1_000, unusualMs: 1_000 });
    await test.session.start();
    await test.status('open');
    device.withholdDeliveries();
    await carl.send(phone, { text: 'unheard' });
    await test.event('messages.upsert', '"unheard"');
    await test.event('connection.update', '"status":"reconnecting"', '"reason":"quiet"');
  });

  it('reconnects when messages that waited for its login are held back', async () => {
    const { phone, carl, device, open } = await linked('Berta');
    await carl.send(phone, { text: 'held back' });
    device.holdBackQueueOnce();
    const test = await open();
    await test.session.start();
    await test.event('messages.upsert', '"held back"');
    await test.event('connection.update', '"reason":"quiet"');
  });
});
