import { eventRoom, roomsOfEvent } from '@wafleet/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { EncodedEvent } from './encoded-event.js';
import { RoomIndex } from './room-index.js';

const all = eventRoom('a', '*', 'call');
const one = eventRoom('a', 'shop-1', 'call');

class Receiver {
  readonly received: EncodedEvent[] = [];

  deliver(event: EncodedEvent): void {
    this.received.push(event);
  }
}

let rooms: RoomIndex;

beforeEach(() => {
  rooms = new RoomIndex();
});

/** How often each receiver is given an event that happens. */
function deliver(receivers: readonly Receiver[], tenantId: string, sessionId: string): number[] {
  const before = receivers.map(({ received }) => received.length);
  const position = { epoch: '1', seq: 1 };
  const event = new EncodedEvent({ event: 'call', sessionId, position, body: Buffer.from('{}') });
  rooms.deliver(roomsOfEvent(tenantId, sessionId, 'call'), event);
  return receivers.map(({ received }, index) => received.length - (before[index] ?? 0));
}

describe('RoomIndex', () => {
  it('gives an event once to whoever is in one of its rooms or in both', () => {
    const receivers = [new Receiver(), new Receiver(), new Receiver()] as const;
    rooms.join([one], receivers[0]);
    rooms.join([all], receivers[1]);
    rooms.join([one, all], receivers[2]);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([1, 1, 1]);
    expect(deliver(receivers, 'a', 'shop-2')).toEqual([0, 1, 1]);
    expect(deliver(receivers, 'b', 'shop-1')).toEqual([0, 0, 0]);
  });

  it('forgets rooms that nobody is in, and whoever left', () => {
    const receivers = [new Receiver(), new Receiver()] as const;
    for (const receiver of receivers) rooms.join([one, all], receiver);
    rooms.leave([one, all, eventRoom('a', '*', 'auth.qr')], receivers[0]);
    expect(rooms.size).toBe(2);
    expect(deliver(receivers, 'a', 'shop-1')).toEqual([0, 1]);
    rooms.leave([one, all], receivers[1]);
    rooms.leave([one, all], receivers[1]);
    expect(rooms.size).toBe(0);
  });
});
