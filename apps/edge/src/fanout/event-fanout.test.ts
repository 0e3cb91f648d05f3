import { eventRoom, sessionsOfKey } from '@wafleet/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EncodedEvent } from './encoded-event.js';
import { EventFanout } from './event-fanout.js';

const all = eventRoom('a', '*', 'call');
const one = eventRoom('a', 'shop-1', 'call');
const ofKey = (keyId: string) => eventRoom('a', sessionsOfKey(keyId), 'call');

class Receiver {
  readonly received: EncodedEvent[] = [];

  deliver(event: EncodedEvent): void {
    this.received.push(event);
  }
}

let fanout: EventFanout;

beforeEach(() => {
  fanout = new EventFanout();
});

function join(rooms: readonly string[], receiver: Receiver, list?: ReadonlySet<string>): void {
  for (const room of rooms) fanout.join(room, receiver, list);
}

function leave(rooms: readonly string[], receiver: Receiver): void {
  for (const room of rooms) fanout.leave(room, receiver);
}

/** Delivers an event, and returns how often each receiver got it. */
function deliver(receivers: readonly Receiver[], tenantId: string, sessionId: string): number[] {
  const before = receivers.map(({ received }) => received.length);
  const delivered = fanout.delivered;
  const position = { epoch: '1', seq: 1 };
  fanout.deliver(tenantId, { event: 'call', sessionId, position, body: Buffer.from('{}') });
  const times = receivers.map(({ received }, index) => received.length - (before[index] ?? 0));
  expect(fanout.delivered - delivered).toBe(times.reduce((sum, given) => sum + given, 0));
  return times;
}

describe('EventFanout', () => {
  it('gives an event once to each client in one of its rooms or in both', () => {
    const receivers = [new Receiver(), new Receiver(), new Receiver(), new Receiver()] as const;
    join([one], receivers[0]);
    join([all], receivers[1]);
    join([one, all], receivers[2]);
    join([all, one, one], receivers[3]);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([1, 1, 1, 1]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 1, 1, 1]);
    expect(deliver(receivers, 'b', 'shop-1')).toEqual([0, 0, 0, 0]);
    leave([all], receivers[1]);
    leave([all], receivers[2]);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([1, 0, 1, 1]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 0, 0, 1]);
  });

  it('gives an event once to the only one who is in both of its rooms', () => {
    const receiver = new Receiver();
    join([one, all], receiver);
    expect(deliver([receiver], 'a', 'shop-1')).toEqual([1]);
  });

  it('gives the clients of a key the events of its list, until the last of them leaves', () => {
    const receivers = [new Receiver(), new Receiver(), new Receiver()] as const;
    const list = new Set(['shop-1', 'shop-2']);
    join([ofKey('k1')], receivers[0], list);
    join([ofKey('k1')], receivers[1], list);
    join([ofKey('k2')], receivers[2], new Set(['shop-2', 'later']));
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([1, 1, 0]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([1, 1, 1]);
    expect(deliver(receivers, 'a', 'later')).toEqual([0, 0, 1]);
    expect(deliver(receivers, 'a', 'shop-3')).toEqual([0, 0, 0]);
    expect(deliver(receivers, 'b', 'shop-1')).toEqual([0, 0, 0]);
    leave([ofKey('k1')], receivers[0]);
    leave([ofKey('k1')], receivers[2]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 1, 1]);
    leave([ofKey('k1')], receivers[1]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 0, 1]);
    join([ofKey('k1')], receivers[1], list);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 1, 1]);
    leave([ofKey('k1')], receivers[1]);
    leave([ofKey('k2')], receivers[2]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 0, 0]);
    expect(fanout.size).toBe(0);
  });

  it('gives an event once to a client that takes it by name, by the list of a key and with all', () => {
    const receivers = Array.from({ length: 5 }, () => new Receiver());
    const list = new Set(['shop-1', 'shop-2']);
    const taken = [
      [one, ofKey('k1')],
      [ofKey('k1'), all],
      [one, ofKey('k1'), all],
      [ofKey('k2'), one],
      [one],
    ];
    for (const [index, receiver] of receivers.entries()) join(taken[index] ?? [], receiver, list);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([1, 1, 1, 1, 1]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([1, 1, 1, 1, 0]);
    expect(deliver(receivers, 'a', 'shop-3')).toEqual([0, 1, 1, 0, 0]);
  });

  it('gives the clients of an empty list nothing, and takes no list of a key that has none', () => {
    const receiver = new Receiver();
    join([ofKey('k1')], receiver, new Set());
    expect(deliver([receiver], 'a', 'shop-1')).toEqual([0]);
    expect(() => join([ofKey('k2')], receiver)).toThrow(/no list/);
  });

  it('gives no event of another name', () => {
    const receiver = new Receiver();
    const rooms = ['*', 'shop-1', sessionsOfKey('k1')].map((session) => eventRoom('a', session, 'auth.qr'));
    join([...rooms, eventRoom('a', '*', 'presence.update')], receiver, new Set(['shop-1']));
    expect(deliver([receiver], 'a', 'shop-1')).toEqual([0]);
  });

  it('forgets clients that left, and tenants without clients', () => {
    const receivers = [new Receiver(), new Receiver()] as const;
    for (const receiver of receivers) join([one, all], receiver);
    leave([one, all, eventRoom('a', '*', 'auth.qr'), eventRoom('b', '*', 'call')], receivers[0]);
    expect(fanout.size).toBe(1);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([0, 1]);
    leave([one, all], receivers[1]);
    leave([one, all], receivers[1]);
    expect(fanout.size).toBe(0);
  });

  it('lets rooms of other kinds pass', () => {
    const receiver = new Receiver();
    join(['7uKx0NTZb2', 'key:1'], receiver);
    leave(['7uKx0NTZb2'], receiver);
    expect(fanout.size).toBe(0);
  });
});
