import { describe, expect, it } from 'vitest';
import {
  changeSessionBodySchema,
  createSessionBodySchema,
  DEFAULT_SETTINGS,
  effectOf,
  readSettings,
  sessionSettingsSchema,
} from './index.js';

describe('stored settings', () => {
  it('have their defaults where nothing is stored', () => {
    expect(readSettings(undefined)).toEqual({ settings: DEFAULT_SETTINGS, unreadable: [] });
    expect(readSettings({})).toEqual({ settings: DEFAULT_SETTINGS, unreadable: [] });
    expect(sessionSettingsSchema.parse(DEFAULT_SETTINGS)).toEqual(DEFAULT_SETTINGS);
  });

  it('keep what was set beside what was not', () => {
    const { settings, unreadable } = readSettings({ online: true, calls: { reject: 'direct' } });
    expect(unreadable).toEqual([]);
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, online: true, calls: { reject: 'direct', message: '' } });
  });

  it('of a later release are read as far as this release knows them', () => {
    const { settings, unreadable } = readSettings({
      history: 'a-year',
      device: { name: 'Till 3', platform: 'watch', color: 'red' },
      archive: { all: true },
    });
    expect(unreadable).toEqual(['device.platform', 'history']);
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, device: { name: 'Till 3', platform: 'chrome' } });
  });

  it.each(['text', 7, [1], null])('that are %j are all unreadable', (stored) => {
    expect(readSettings(stored)).toEqual({ settings: DEFAULT_SETTINGS, unreadable: ['settings'] });
    expect(readSettings({ calls: stored })).toEqual({ settings: DEFAULT_SETTINGS, unreadable: ['calls'] });
  });

  it('cannot change prototypes', () => {
    readSettings(JSON.parse('{"__proto__": {"online": true}, "calls": {"__proto__": {"reject": "all"}}}'));
    expect({}).not.toHaveProperty('online');
  });
});

describe('a change of settings', () => {
  it.each([
    { settings: { online: true, device: { name: 'Till 3' } } },
    { settings: { ignore: { chats: ['15551234567@s.whatsapp.net', '120363000000000001@g.us'] } } },
    { settings: { calls: { reject: 'all', message: 'Please write.' }, history: 'full' } },
    { settings: null, metadata: null, proxy: null, name: null },
    { settings: { device: null, online: null, calls: { message: null } } },
    { metadata: { shop: '17', 'crm.id': null } },
    { settings: { pacing: { sendsPerMinute: 20, newChatsPerDay: 50, warmUp: [5, 10, 20], typing: true } } },
    { settings: { pacing: { minDelayMs: 3_000, maxDelayMs: 1_000, pauseAfter: 0, warmUp: null } } },
  ])('may be %j', (body) => {
    expect(changeSessionBodySchema.safeParse(body).success).toBe(true);
  });

  it.each([
    [{ settings: { device: { name: 'a\nb' } } }],
    [{ settings: { device: { name: '' } } }],
    [{ settings: { device: { name: 'x'.repeat(51) } } }],
    [{ settings: { device: { platform: 'android' } } }],
    [{ settings: { history: 'all' } }],
    [{ settings: { ignore: { chats: ['not a chat'] } } }],
    [{ settings: { ignore: { chats: Array.from({ length: 501 }, () => '15551234567@lid') } } }],
    [{ settings: { online: 'yes' } }],
    [{ settings: { onlin: true } }],
    [{ settings: { pacing: { sendsPerMinute: -1 } } }],
    [{ settings: { pacing: { sendsPerMinute: 1e9 } } }],
    [{ settings: { pacing: { newChatsPerDay: 0.5 } } }],
    [{ settings: { pacing: { warmUp: [0] } } }],
    [{ settings: { pacing: { warmUp: Array.from({ length: 61 }, () => 1) } } }],
    [{ settings: { pacing: { maxDelayMs: 5_001 } } }],
    [{ settings: { pacing: { pauseAfter: '3' } } }],
    [{ settings: { pacing: { burst: 5 } } }],
    [{ settings: { calls: { message: 'x'.repeat(1001) } } }],
    [{ metadata: { 'a b': 'c' } }],
    [{ metadata: { a: 'x'.repeat(501) } }],
    [{ metadata: { a: 7 } }],
    [{ proxy: { host: 'proxy.example' } }],
    [{ worker: 'wrk_1' }],
  ])('may not be %j', (body) => {
    expect(changeSessionBodySchema.safeParse(body).success).toBe(false);
  });

  it('takes effect at once, or at the next link', () => {
    expect(effectOf('online', DEFAULT_SETTINGS)).toBe('now');
    expect(effectOf('device', DEFAULT_SETTINGS)).toBe('next-link');
    expect(effectOf('history', { history: 'none' })).toBe('now');
    expect(effectOf('history', { history: 'full' })).toBe('next-link');
  });
});

describe('metadata', () => {
  const keys = (count: number, value = 'x') =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));

  it.each([
    [keys(20), true],
    [keys(21), false],
    [keys(8, 'x'.repeat(480)), true],
    [keys(9, 'x'.repeat(480)), false],
    [{ __proto__: null, __proto__x: 'y' }, false],
  ])('are bounded', (metadata, isTaken) => {
    expect(createSessionBodySchema.safeParse({ metadata }).success).toBe(isTaken);
  });
});
