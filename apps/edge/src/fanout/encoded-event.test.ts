import type { EventName } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { EncodedEvent } from './encoded-event.js';

function encode(body: string, event: EventName = 'call'): EncodedEvent {
  return new EncodedEvent({
    event,
    sessionId: 'shop-1',
    position: { epoch: '1', seq: 1 },
    body: Buffer.from(body),
  });
}

/** Reads a frame's header, RFC 6455, 5.2, with `payload` what follows it. */
function parse(frame: Buffer) {
  const short = frame.readUInt8(1);
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  const length = start === 2 ? short : start === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  return { first: frame.readUInt8(0), start, length, payload: frame.subarray(start) };
}

describe('an encoded event', () => {
  it('is a Socket.IO event packet with the payload as its only argument', () => {
    expect(encode('{"a":1}').packet('/')).toBe('2["call",{"a":1}]');
    expect(encode('{"a":1}', 'messages.upsert').packet('/api/events')).toBe(
      '2/api/events,["messages.upsert",{"a":1}]',
    );
  });

  it('takes the payload unchanged', () => {
    const odd = '{ "a" : 1.0, "b":"\\u00e9 é 👩‍👩‍👧", "a":2}';
    expect(encode(odd).packet('/')).toBe(`2["call",${odd}]`);
    expect(parse(encode(odd).frame('/')).payload.toString()).toBe(`42["call",${odd}]`);
  });

  const overhead = '42["call",""]'.length;
  it.each([
    [0, 2],
    [125 - overhead, 2],
    [126 - overhead, 4],
    [65_535 - overhead, 4],
    [65_536 - overhead, 10],
    [200_000, 10],
  ])('with %i more bytes is a final, unmasked text frame whose header takes %i bytes', (bytes, start) => {
    const frame = parse(encode(`"${'x'.repeat(bytes)}"`).frame('/'));
    expect(frame).toMatchObject({ first: 0x81, start, length: overhead + bytes });
    expect(frame.payload).toHaveLength(overhead + bytes);
  });

  it('counts bytes, not letters', () => {
    const frame = parse(encode(JSON.stringify({ text: '🎉'.repeat(29) })).frame('/'));
    expect(frame).toMatchObject({ start: 4, length: 4 * 29 + '42["call",{"text":""}]'.length });
    expect(frame.payload).toHaveLength(frame.length);
  });

  it('is made once for each namespace', () => {
    const event = encode('{}');
    expect(event.frame('/')).toBe(event.frame('/'));
    expect(event.frame('/')).not.toEqual(event.frame('/api/events'));
  });

  it('is a block of Server-Sent Events, made once', () => {
    const odd = '{ "a" : 1.0, "b":"\\u00e9 é 👩‍👩‍👧\u2028", "a":2}';
    const event = encode(odd);
    expect(event.block.toString()).toBe(`id: 1-1\nevent: call\ndata: ${odd}\n\n`);
    expect(event.block).toBe(event.block);
  });

  it('is written among others exactly as alone, for each of several clients', () => {
    const events = [encode('{"a":1}'), encode(`"${'x'.repeat(200)}"`)];
    for (const namespace of ['/', '/api/events'] as const) {
      const frames = Buffer.alloc(events.reduce((sum, event) => sum + event.frameBytes(namespace), 0));
      const write = () => events.reduce((offset, event) => event.copyFrame(namespace, frames, offset), 0);
      expect(write()).toBe(frames.length);
      expect(frames).toEqual(Buffer.concat(events.map((event) => event.frame(namespace))));
      frames.fill(0);
      write();
      expect(frames).toEqual(Buffer.concat(events.map((event) => event.frame(namespace))));
    }
    const blocks = Buffer.alloc(events.reduce((sum, event) => sum + event.blockBytes, 0));
    for (let client = 0; client < 3; client += 1) {
      blocks.fill(0);
      expect(events.reduce((offset, event) => event.copyBlock(blocks, offset), 0)).toBe(blocks.length);
      expect(blocks).toEqual(
        Buffer.concat(
          events.map(({ eventId }, index) =>
            Buffer.from(
              `id: ${eventId}\nevent: call\ndata: ${index === 0 ? '{"a":1}' : `"${'x'.repeat(200)}"`}\n\n`,
            ),
          ),
        ),
      );
    }
  });

  it('has the id of its position, unless it has its own', () => {
    expect(encode('{}').eventId).toBe('1-1');
    const position = { epoch: '1', seq: 1 };
    const own = {
      event: 'call',
      sessionId: 's',
      position,
      body: Buffer.from('{}'),
      eventId: '1-1~3',
    } as const;
    expect(new EncodedEvent(own).block.toString()).toContain('id: 1-1~3\n');
  });

  it('outlives the memory that its payload came in, once it is kept', () => {
    const chunk = Buffer.from('{"a":1}');
    const event = new EncodedEvent({
      event: 'call',
      sessionId: 's',
      position: { epoch: '1', seq: 1 },
      body: chunk,
    });
    event.keep();
    event.keep();
    chunk.fill(0);
    expect(event.packet('/')).toBe('2["call",{"a":1}]');
  });
});
