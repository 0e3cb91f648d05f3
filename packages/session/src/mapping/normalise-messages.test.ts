import { proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messagesOf } from '../testing/generated-messages.js';
import { readRecordedEvents } from '../testing/recorded-events.js';
import { normalise } from './normalise.js';
import { isWithheld } from './secret-fields.js';

/** As a client has it: through JSON. */
function published(value: unknown): unknown {
  return JSON.parse(JSON.stringify(normalise(value)));
}

function restored(content: unknown): Uint8Array {
  if (typeof content !== 'object' || content === null) throw new Error('expected an object');
  return proto.Message.encode(proto.Message.fromObject(content)).finish();
}

/** As Baileys has it: from the wire. */
function received(content: Record<string, unknown>): proto.Message {
  return proto.Message.decode(restored(content));
}

const isPublic = ({ name, type }: { name: string; type: string }) =>
  !isWithheld(name, type === 'bytes' ? new Uint8Array() : undefined);

/** A copy that spread its protobuf instances, as Baileys does here and there: their prototypes and methods are gone. */
function spread(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spread);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, spread(inner)]));
}

describe('generated messages', () => {
  it('are restored byte for byte from what is published', () => {
    fc.assert(
      fc.property(messagesOf('Message', isPublic), (content) => {
        const message = received(content);
        const bytes = proto.Message.encode(message).finish();
        expect(Buffer.from(restored(published(message)))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('are published alike as instances, as spread instances and when they are published already', () => {
    fc.assert(
      fc.property(messagesOf('Message'), (content) => {
        const message = received(content);
        const once = published(message);
        expect(normalise(once)).toEqual(once);
        expect(withoutEmptyLists(published(spread(message)))).toEqual(withoutEmptyLists(once));
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });
});

function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0));
  return Object.fromEntries(fields.map(([field, inner]) => [field, withoutEmptyLists(inner)]));
}

describe('recorded messages', () => {
  const contents = [...readRecordedEvents()].flatMap(([trigger, events]) =>
    findContents(events).map((content): [string, proto.Message] => [trigger, content]),
  );

  it.each(contents)('%s: what is published gives the same message again', (_trigger, content) => {
    const once = published(content);
    const again = proto.Message.decode(restored(once));
    expect(published(again)).toEqual(once);
    if (!holdsSecrets(content)) {
      expect(restored(once)).toEqual(proto.Message.encode(content).finish());
    }
  });

  it('have the keys of their media', () => {
    const image = contents.map(([, content]) => content.imageMessage).find((found) => found?.mediaKey);
    const again = proto.Message.decode(restored(published({ imageMessage: image }))).imageMessage;
    for (const field of ['mediaKey', 'fileEncSha256', 'fileSha256'] as const) {
      expect(Buffer.from(again?.[field] ?? [])).toEqual(Buffer.from(image?.[field] ?? []));
      expect(image?.[field]?.length).toBe(32);
    }
    expect(again?.directPath).toBe(image?.directPath);
    expect(String(again?.fileLength)).toBe(String(image?.fileLength));
  });
});

function holdsSecrets(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return Object.entries(value).some(([field, inner]) => isWithheld(field, inner) || holdsSecrets(inner));
}

function findContents(value: unknown): proto.Message[] {
  if (value instanceof proto.Message) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(findContents);
}
