import { eventRoom } from '@wafleet/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EncodedEvent } from './encoded-event.js';
import { EventFanout } from './event-fanout.js';

const all = eventRoom('a', '*', 'call');
const one = eventRoom('a', 'shop-1', 'call');

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

function join(rooms: readonly string[], receiver: Receiver): void {
  for (const room of rooms) fanout.join(room, receiver);
}

function leave(rooms: readonly string[], receiver: Receiver): void {
  for (const room of rooms) fanout.leave(room, receiver);
}

/** How often each receiver is given an event that happens. */
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
  it('gives an event once to whoever is in one of its rooms or in both', () => {
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

  it('gives no event of another name', () => {
    const receiver = new Receiver();
    join([eventRoom('a', '*', 'presence.update'), eventRoom('a', 'shop-1', 'auth.qr')], receiver);
    expect(deliver([receiver], 'a', 'shop-1')).toEqual([0]);
  });

  it('forgets tenants that nobody is left of, and whoever left', () => {
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
